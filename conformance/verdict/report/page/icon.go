package page

import (
	"encoding/base64"
	"html/template"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// icon is the picture of a browser's tab, in the verdict's colour and shape.
func icon(tone verdict.Outcome) template.URL {
	shape := map[verdict.Outcome]string{
		verdict.Passed: `<circle cx="8" cy="8" r="8" fill="#1a7f37"/><path d="M4.3 8.4l2.5 2.5 4.9-5.4"`,
		verdict.Failed: `<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z" fill="#b42318"/><path d="M5 5l6 6M11 5l-6 6"`,
	}[tone]
	if shape == "" {
		shape = `<path d="M8 .6L16 15H0z" fill="#9a6700"/><path d="M8 5.6v4.6M8 12.4v.4"`
	}
	picture := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">` + shape + ` fill="none" stroke="#fff" stroke-width="2"/></svg>`
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(picture)))
}
