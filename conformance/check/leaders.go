package check

import (
	"context"
	"sync"

	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// observe watches who leads until the returned function is called, which tells what was seen and what of it the results explain; nil when there
// was no way to look.
func (r *Run) observe(ctx context.Context) func([]verdict.Result) *verdict.Leadership {
	t, err := target.New(r.Target, r.Repository, "")
	if err != nil {
		return func([]verdict.Result) *verdict.Leadership { return nil }
	}
	o := &leadership.Observer{Reader: leadership.Reader{Client: t.Client, Nodes: r.Target.Nodes(), Control: r.Target.Control()}}
	ctx, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() { o.Run(ctx) })
	return func(results []verdict.Result) *verdict.Leadership {
		stop()
		looking.Wait()
		return leadership.Explain(o.Observed, o.Changes, results)
	}
}
