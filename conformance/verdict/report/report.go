// Package report is a report's folder: it writes one and reads it back.
//
//	report.json       everything, by schema.json
//	report.html       the same for people, one page without network
//	junit.xml         the same for CI systems
//	evidence/         what is too big for report.json: calls of client loads, objects
//	report.sha256     digests of report.json and of the files it speaks of
//
// It is fed a record.Report by package check, or by what merges reports, and feeds audit and compare. It judges nothing.
package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/page"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// The names in a folder.
const (
	reportName     = "report.json"
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
	if err := os.WriteFile(filepath.Join(dir, reportName), data, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	junit, err := xml.MarshalIndent(junitOf(r), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, junitName), append([]byte(xml.Header), junit...), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := WritePage(dir, r); err != nil {
		return err
	}
	return seal(dir, r)
}

// WritePage renders report.html anew.
func WritePage(dir string, r *record.Report) error {
	file, err := os.Create(filepath.Join(dir, pageName))
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := page.Render(file, r); err != nil {
		file.Close()
		return fmt.Errorf("write %s: %w", pageName, err)
	}
	return file.Close()
}
