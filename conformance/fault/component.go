package fault

import (
	"context"
	"fmt"
	"slices"
	"syscall"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// KillComponent sends SIGKILL to a component of a node. The node is to start another: that it did is the witness of the healing, and there
// is nothing else to heal.
func KillComponent(control cluster.Control, node, component string) Fault {
	return endComponent(control, node, component, "kill", syscall.SIGKILL)
}

// StopComponent sends it SIGTERM: it may first bring in order what it likes, and has to end by itself.
func StopComponent(control cluster.Control, node, component string) Fault {
	return endComponent(control, node, component, "stop", syscall.SIGTERM)
}

func endComponent(control cluster.Control, node, component, how string, signal syscall.Signal) Fault {
	var killed []int
	running := func(ctx context.Context) ([]int, error) { return control.Processes(ctx, node, component) }
	return Fault{
		Name: fmt.Sprintf("%s %s on %s", how, component, node),
		Setup: func(ctx context.Context) error {
			now, err := running(ctx)
			if err == nil && len(now) == 0 {
				err = fmt.Errorf("no %s runs on %s", component, node)
			}
			return err
		},
		Inject: func(ctx context.Context) (err error) {
			killed, err = control.Signal(ctx, node, component, int(signal))
			return err
		},
		Witness: func(ctx context.Context) (string, error) {
			now, err := running(ctx)
			if err != nil {
				return "", err
			}
			if left := common(now, killed); len(left) > 0 {
				return "", fmt.Errorf("pids %v still run", left)
			}
			return fmt.Sprintf("pids %v are gone", killed), nil
		},
		Healed: func(ctx context.Context) (string, error) {
			now, err := running(ctx)
			if err != nil {
				return "", err
			}
			if left := common(now, killed); len(left) > 0 || len(now) == 0 {
				return "", fmt.Errorf("pids %v run, of which %v are old", now, left)
			}
			return fmt.Sprintf("pids %v run", now), nil
		},
	}
}

func common(a, b []int) (both []int) {
	for _, n := range a {
		if slices.Contains(b, n) {
			both = append(both, n)
		}
	}
	return both
}
