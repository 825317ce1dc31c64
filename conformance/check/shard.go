package check

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/specs"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Shard is one process of a check.
type Shard struct {
	Target *target.Target
	IDs    []string
	// Seed is Ginkgo's, Timeout how long all specs of the shard may take.
	Seed    int64
	Timeout time.Duration
	// Report is the file or pipe that gets an event, a line of JSON, whenever a spec begins or ends.
	Report string
}

// Run runs the shard's specs in this process; Ginkgo's own report goes to standard output. It fails only when the run itself does: what the specs found
// is in the events.
func (s Shard) Run(ctx context.Context) error {
	target.Set(s.Target)
	return s.run(specs.Declare, budget.Spec.Limit())
}

// run runs the specs that declare tells of, each for at most the time limit.
func (s Shard) run(declare func(), timeLimit time.Duration) error {
	limit(timeLimit)
	declare()
	report, err := os.OpenFile(s.Report, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("--shard-report: %w", err)
	}
	defer report.Close()
	var lost error
	say := func(e event) { lost = errors.Join(lost, json.NewEncoder(report).Encode(e)) }
	ginkgo.ReportBeforeEach(func(r types.SpecReport) {
		if id := idOf(r.Labels()); id != "" && slices.Contains(s.IDs, id) {
			say(event{Began: id})
		}
	})
	ginkgo.ReportAfterEach(func(r types.SpecReport) {
		if result, ok := resultOf(r); ok {
			say(event{Result: &result})
		}
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter = strings.Join(s.IDs, " || ")
	suite.RandomSeed = s.Seed
	suite.Timeout = cmp.Or(s.Timeout, suite.Timeout)
	reporter.Verbose, reporter.NoColor = true, true
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(failed{}, "plumb", suite, reporter)
	return lost
}

// limit gives every spec declared from now on a time limit: one that hangs fails, and the specs behind it run.
func limit(d time.Duration) {
	ginkgo.AddTreeConstructionNodeArgsTransformer(func(kind types.NodeType, _ ginkgo.Offset, text string, args []any) (string, []any, []error) {
		if kind == types.NodeTypeIt {
			args = append(args, ginkgo.SpecTimeout(d))
		}
		return text, args, nil
	})
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
	result = verdict.Result{ID: id, Outcome: outcomeOf(r), Began: r.StartTime, Seconds: r.RunTime.Seconds()}
	if result.Outcome != verdict.Passed {
		result.Message = strings.TrimSpace(r.Failure.Message) + " (" + r.Failure.Location.String() + ")"
	}
	var timeline verdict.Timeline
	for _, e := range r.ReportEntries {
		if timeline.Add(e.GetRawValue()) {
			result.Timeline = &timeline
			continue
		}
		if image, ok := e.GetRawValue().(verdict.Image); ok {
			result.Images = append(result.Images, image)
			continue
		}
		result.Evidence = append(result.Evidence, verdict.Evidence{Name: e.Name, Text: e.StringRepresentation()})
	}
	if lacking := result.Unproven(); result.Outcome == verdict.Passed && len(lacking) > 0 {
		result.Outcome, result.Message = verdict.Inconclusive, "it passed and did not leave its proof: "+strings.Join(lacking, "; ")
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
