// Package report writes a verdict for people and machines: report.json, junit.xml.
package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Write puts every form of the report into dir.
func Write(dir string, v verdict.Verdict, took time.Duration) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), data, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	junit, err := xml.MarshalIndent(junitOf(v, took), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "junit.xml"), append([]byte(xml.Header), junit...), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     float64    `xml:"time,attr"`
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	XMLName   xml.Name `xml:"testcase"`
	Name      string   `xml:"name,attr"`
	ClassName string   `xml:"classname,attr"`
	Time      float64  `xml:"time,attr"`
	Failure   *problem `xml:"failure"`
	// Error holds every outcome that is neither pass nor failure: CI systems show it as not passed.
	Error *problem `xml:"error"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junitOf(v verdict.Verdict, took time.Duration) suite {
	s := suite{Name: "plumb", Tests: len(v.Results), Failures: v.Counts[verdict.Failed], Time: took.Seconds()}
	for _, r := range v.Results {
		c := testcase{Name: r.ID + " " + r.Requirement, ClassName: r.Profile, Time: r.Seconds}
		switch r.Outcome {
		case verdict.Passed:
		case verdict.Failed:
			c.Failure = &problem{Message: string(r.Outcome), Text: r.Message}
		default:
			s.Errors++
			c.Error = &problem{Message: string(r.Outcome), Text: r.Message}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
