package scene

import (
	"cmp"
	"context"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Mark notes a moment in the spec's timeline.
func Mark(kind verdict.Kind, subject, text string) {
	entry(verdict.Mark{At: time.Now(), Kind: kind, Subject: subject, Text: text})
}

// entry gives Ginkgo a part of the timeline; check takes it back whole.
func entry(part any) {
	ginkgo.AddReportEntry("timeline", ginkgo.ReportEntryVisibilityNever, part)
}

// Within waits until check succeeds, for at most a budget counted from a moment, and notes how much of it was used. The budget is spent from
// then on: what the caller did in between has used some of it already. A last look that succeeds too late is a failure like any other: a pass that
// overspent its budget could not be verified.
func Within(ctx context.Context, b budget.Budget, from time.Time, subject string, check func(context.Context) error) time.Duration {
	ginkgo.GinkgoHelper()
	var took time.Duration
	defer func() { Spent(b, from, cmp.Or(took, time.Since(from)), subject) }()
	gomega.Eventually(ctx, check).WithTimeout(max(time.Until(from.Add(b.Limit())), target.Poll)).WithPolling(target.Poll/4).
		Should(gomega.Succeed(), "%s within %s (%s) of %s", subject, b.Limit(), b.Why, from.Format("15:04:05.000"))
	took = time.Since(from)
	inTime(b, from, took, subject)
	return took
}

// inTime fails the spec when more than a budget was used.
func inTime(b budget.Budget, from time.Time, took time.Duration, subject string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(took).To(gomega.BeNumerically("<=", b.Limit()), "%s within %s (%s) of %s", subject, b.Limit(), b.Why, from.Format("15:04:05.000"))
}

// Spent notes how much of a budget was used by what the caller has measured and judged itself.
func Spent(b budget.Budget, from time.Time, took time.Duration, subject string) {
	entry(verdict.Spent{Budget: b.Name, Why: b.Why, Subject: subject, From: from, Limit: b.Limit().Seconds(), Took: took.Seconds()})
}
