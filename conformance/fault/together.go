package fault

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Together is several faults as one: each step of their lives is taken by all at the same time, and every one of them is witnessed. What was set up
// knows nothing of the others' effects, so that nodes may be cut off from each other. All of them are healed, also when one cannot be.
func Together(all ...Fault) Fault {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return Fault{
		Name:    strings.Join(names, " and "),
		Setup:   each(all, func(f Fault) func(context.Context) error { return f.Setup }),
		Inject:  each(all, func(f Fault) func(context.Context) error { return f.insist }),
		parts:   true,
		Heal:    each(all, func(f Fault) func(context.Context) error { return f.Heal }),
		Witness: seen(all, func(f Fault) func(context.Context) (string, error) { return f.Witness }),
		Healed:  seen(all, func(f Fault) func(context.Context) (string, error) { return f.Healed }),
	}
}

// each takes one step with every fault; an error of one does not end the others.
func each(all []Fault, step func(Fault) func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var group errgroup.Group
		for _, f := range all {
			if take := step(f); take != nil {
				group.Go(func() error { return take(ctx) })
			}
		}
		return group.Wait()
	}
}

// seen is the evidence of all.
func seen(all []Fault, by func(Fault) func(context.Context) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		evidence := make([]string, len(all))
		var group errgroup.Group
		for i, f := range all {
			group.Go(func() (err error) {
				evidence[i], err = by(f)(ctx)
				return err
			})
		}
		err := group.Wait()
		return strings.Join(evidence, "; "), err
	}
}
