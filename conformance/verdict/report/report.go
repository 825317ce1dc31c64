// Package report is a report's folder: it writes one and reads it back.
//
//	report.json       everything, by schema.json
//	report.html       the same for people, in one file (package page)
//	junit.xml         the same for CI systems
//	evidence/         what is too big for report.json: calls of client loads, objects
//	report.sha256     digests of these three, of the files that report.json speaks of, and of the logs
//
// It is fed a record.Report by packages check and merged, and feeds people and programs. It judges nothing.
package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/page"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// The names in a folder.
const (
	Name           = "report.json"
	pageName       = "report.html"
	junitName      = "junit.xml"
	sealName       = "report.sha256"
	evidenceFolder = "evidence"
)

// Write puts every form of the report into dir. Evidence that is big moves into files, and paths become relative to dir.
func Write(dir string, r *record.Report) error {
	for i, kept := range r.Kept {
		if inside, err := filepath.Rel(dir, kept); err == nil && filepath.IsLocal(inside) {
			r.Kept[i] = filepath.ToSlash(inside)
		}
	}
	if err := spill(dir, r.Results); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, Name), data, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	junit, err := xml.MarshalIndent(junitOf(r), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, junitName), append([]byte(xml.Header), junit...), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := writePage(dir, r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return seal(dir, r)
}

// writePage reads evidence back that was moved into files, so that a report that was read from a folder gets the same page.
func writePage(dir string, r *record.Report) error {
	var text bytes.Buffer
	if err := page.Write(&text, r, func(e verdict.Evidence) ([]byte, error) { return Open(dir, e) }); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, pageName), text.Bytes(), 0o644)
}
