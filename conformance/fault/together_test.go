package fault

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func TestFaultsTogetherAreWitnessedAndHealedOnlyTogether(t *testing.T) {
	for name, row := range map[string]struct {
		second machine
		// refused: no witness for both, and so the first is healed at once.
		refused bool
	}{
		"both":                    {machine{state: cluster.State{Running: true}}, false},
		"the second was down":     {machine{}, true},
		"the second survives":     {machine{state: cluster.State{Running: true}, deaf: true}, true},
		"the second is not there": {machine{state: cluster.State{Paused: true}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			first := &machine{state: cluster.State{Running: true}}
			first.serving(t)
			row.second.serving(t)
			synctest.Test(t, func(t *testing.T) {
				a, err := Inject(t.Context(), Together(killed(first), killed(&row.second)), func(verdict.Kind, string, string) {})
				if errors.Is(err, ErrNotWitnessed) != row.refused {
					t.Fatalf("inject: %v", err)
				}
				if !row.refused {
					if first.state.Running || row.second.state.Running {
						t.Fatal("a node runs")
					}
					if err := a.Heal(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if !first.state.Running {
					t.Fatal("the first node was not healed")
				}
			})
		})
	}
}
