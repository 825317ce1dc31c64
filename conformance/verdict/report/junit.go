package report

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     float64    `xml:"time,attr"`
	Stamp    string     `xml:"timestamp,attr"`
	Of       properties `xml:"properties"`
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	XMLName   xml.Name `xml:"testcase"`
	Name      string   `xml:"name,attr"`
	ClassName string   `xml:"classname,attr"`
	Time      float64  `xml:"time,attr"`
	// Of tells the ID and the profile to what reads names as prose.
	Of      properties `xml:"properties"`
	Failure *problem   `xml:"failure"`
	// Error holds every outcome that is neither pass nor failure: CI systems show it as not passed.
	Error *problem `xml:"error"`
}

type properties struct {
	All []property `xml:"property"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junitOf(r *record.Report) suite {
	s := suite{
		Name: "plumb", Tests: len(r.Results), Failures: r.Counts[verdict.Failed],
		Time: r.Run.Ended.Sub(r.Run.Began).Seconds(), Stamp: r.Run.Began.UTC().Format("2006-01-02T15:04:05"),
		Of: properties{[]property{{"verdict", r.Text}, {"kubernetes", r.Environment.Target.Kubernetes}, {"plumb", r.Environment.Harness.Version}}},
	}
	for _, r := range r.Results {
		c := testcase{Name: r.ID + " " + r.Requirement, ClassName: r.Profile, Time: r.Seconds, Of: properties{[]property{{"id", r.ID}, {"profile", r.Profile}}}}
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

// NotRun leaves a junit.xml in the folder of a run that had nothing to judge, and why: one error, which nobody takes for a pass. An earlier report there
// is taken away.
func NotRun(dir, why string) error {
	if err := Clear(dir); err != nil {
		return fmt.Errorf("--report-dir: %w", err)
	}
	text, err := xml.MarshalIndent(suite{
		Name: "plumb", Tests: 1, Errors: 1, Of: properties{[]property{{"verdict", "NOT RUN"}}},
		Cases: []testcase{{Name: "the suite was run", ClassName: "infrastructure", Error: &problem{Message: "not run", Text: why}}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, junitName), append([]byte(xml.Header), text...), 0o644)
}
