package check

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/specs"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Shard is one process of a check.
type Shard struct {
	Target *target.Target
	IDs    []string
	// Report is the file that gets the results as JSON.
	Report string
	// SpecTimeout bounds every spec that sets no limit of its own.
	SpecTimeout time.Duration
}

// Run runs the shard's specs in this process: progress goes to standard error, Ginkgo's own report to standard output. It fails only when the run itself does: what the specs found is in the report.
func (s Shard) Run(ctx context.Context) error {
	target.Set(s.Target)
	specs.Declare()
	var results []verdict.Result
	ginkgo.ReportAfterEach(func(r types.SpecReport) {
		result, ok := resultOf(r)
		if !ok {
			return
		}
		results = append(results, result)
		fmt.Fprintln(os.Stderr, progressLine(result))
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter = strings.Join(s.IDs, " || ")
	suite.Timeout = 2 * time.Hour
	reporter.Verbose, reporter.NoColor = true, true
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(failed{}, "plumb", suite, reporter)
	data, err := json.Marshal(results)
	if err != nil {
		return err
	}
	return os.WriteFile(s.Report, data, 0o644)
}

// failed is what Ginkgo tells that a spec failed; the results say so already.
type failed struct{}

func (failed) Fail() {}

// resultOf turns a spec's report into a result; ok is false for specs that were filtered out.
func resultOf(r types.SpecReport) (result verdict.Result, ok bool) {
	id := idOf(r.Labels())
	if id == "" || r.State == types.SpecStatePending || (r.State == types.SpecStateSkipped && r.Failure.Message == "") {
		return result, false
	}
	result = verdict.Result{ID: id, Outcome: outcomeOf(r), Seconds: r.RunTime.Seconds()}
	if result.Outcome != verdict.Passed {
		result.Message = strings.TrimSpace(r.Failure.Message) + " (" + r.Failure.Location.String() + ")"
	}
	for _, e := range r.ReportEntries {
		result.Evidence = append(result.Evidence, verdict.Evidence{Name: e.Name, Text: e.StringRepresentation()})
	}
	return result, true
}

func outcomeOf(r types.SpecReport) verdict.Outcome {
	switch {
	case r.State == types.SpecStatePassed:
		return verdict.Passed
	case r.State == types.SpecStateSkipped && strings.HasPrefix(r.Failure.Message, scene.InconclusivePrefix):
		return verdict.Inconclusive
	case r.State == types.SpecStateSkipped:
		return verdict.Skipped
	case r.State == types.SpecStateInterrupted:
		return verdict.Inconclusive
	}
	return verdict.Failed
}

func progressLine(r verdict.Result) string {
	line := fmt.Sprintf("%-13s %-9s %6.1fs", r.Outcome, r.ID, r.Seconds)
	if r.Message != "" {
		line += "  " + strings.ReplaceAll(r.Message, "\n", "\n    ")
	}
	return line
}
