// Package page shows a report to people: one self-contained HTML page.
//
// It is fed a record.Report by package report. It needs no network, and nothing beside the page.
package page

import (
	"html/template"
	"io"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

var plain = template.Must(template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>{{.Text}}</title><h1>{{.Text}}</h1></html>`))

// Render writes the page.
func Render(to io.Writer, r *record.Report) error { return plain.Execute(to, r) }
