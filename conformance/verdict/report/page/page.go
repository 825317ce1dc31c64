// Package page is a report as one HTML file for people: the verdict, what did not pass, every requirement with its evidence and timeline, and what
// was judged from where.
//
// It is fed a record.Report by package report and feeds a browser. The file needs nothing else: styles, script and pictures are inside, its
// Content-Security-Policy forbids any request, and without script only the filter is missing. Whatever the target said is data: it is escaped by
// html/template, and never becomes markup, style, script or a link of another kind than into the report's folder. It judges nothing.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// Open returns the text of a piece of evidence, which may stand in a file of its own.
type Open func(verdict.Evidence) ([]byte, error)

//go:embed templates/*.html style/*.css script/*.js
var files embed.FS

// Write writes the page of a report.
func Write(to io.Writer, r *record.Report, open Open) error {
	style, err := joined("style/*.css")
	if err != nil {
		return err
	}
	script, err := joined("script/*.js")
	if err != nil {
		return err
	}
	all, err := template.New("").Funcs(words).ParseFS(files, "templates/*.html")
	if err != nil {
		return fmt.Errorf("templates of the page: %w", err)
	}
	v := viewOf(r, open)
	v.Style, v.Script = template.CSS(style), template.JS(script)
	v.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", hash(style), hash(script))
	var page bytes.Buffer // a page that cannot be made whole is not written at all
	if err := all.ExecuteTemplate(&page, "page.html", v); err != nil {
		return fmt.Errorf("fill in the page: %w", err)
	}
	_, err = page.WriteTo(to)
	return err
}

// joined are all embedded files of a pattern, one after another in the order of their names.
func joined(pattern string) (string, error) {
	paths, err := fs.Glob(files, pattern)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, path := range paths {
		data, err := files.ReadFile(path)
		if err != nil {
			return "", err
		}
		text.Write(data)
	}
	return text.String(), nil
}

// hash is how a Content-Security-Policy names the one style and the one script that it allows.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
