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

// PauseComponent freezes a component of a node (SIGSTOP): its connections stay open and nothing answers. answersAt (host:port, TLS) must fall
// silent; empty where the component has no port that we reach, and then the signal's own report is the only witness.
func PauseComponent(control cluster.Control, node, component, answersAt string) Fault {
	var stopped []int
	return Fault{
		Name: fmt.Sprintf("pause %s on %s", component, node),
		Setup: func(ctx context.Context) error {
			now, err := control.Processes(ctx, node, component)
			if err == nil && len(now) == 0 {
				err = fmt.Errorf("no %s runs on %s", component, node)
			}
			if err == nil && answersAt != "" {
				err = answers(ctx, answersAt)
			}
			return err
		},
		Inject: func(ctx context.Context) (err error) {
			stopped, err = control.Signal(ctx, node, component, int(syscall.SIGSTOP))
			return err
		},
		Heal: func(ctx context.Context) error {
			now, err := control.Processes(ctx, node, component)
			if err != nil || len(common(now, stopped)) == 0 {
				return err // what was paused has been replaced meanwhile
			}
			_, err = control.Signal(ctx, node, component, int(syscall.SIGCONT))
			return err
		},
		Witness: func(ctx context.Context) (string, error) {
			if answersAt == "" {
				return fmt.Sprintf("pids %v were stopped", stopped), nil
			}
			if answers(ctx, answersAt) == nil {
				return "", fmt.Errorf("%s answers", answersAt)
			}
			return fmt.Sprintf("pids %v were stopped, and %s does not answer", stopped, answersAt), nil
		},
		Healed: func(ctx context.Context) (string, error) {
			now, err := control.Processes(ctx, node, component)
			if err == nil && len(now) == 0 {
				err = fmt.Errorf("no %s runs on %s", component, node)
			}
			if err == nil && answersAt != "" {
				err = answers(ctx, answersAt)
			}
			return fmt.Sprintf("pids %v run", now), err
		},
	}
}
