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
	// Before anything was killed this asks for any process, afterwards for a new one.
	runs := func(ctx context.Context) (string, error) {
		now, err := running(ctx)
		if err != nil {
			return "", err
		}
		if len(now) == 0 {
			return "", fmt.Errorf("no %s runs on %s", component, node)
		}
		if left := common(now, killed); len(left) > 0 {
			return "", fmt.Errorf("pids %v run, of which %v are old", now, left)
		}
		return fmt.Sprintf("pids %v run", now), nil
	}
	return Fault{
		Name:  fmt.Sprintf("%s %s on %s", how, component, node),
		Setup: there(runs),
		Inject: func(ctx context.Context) (err error) {
			killed, err = control.Signal(ctx, node, component, int(signal))
			if err == nil && len(killed) == 0 {
				err = fmt.Errorf("no %s ran on %s any more", component, node)
			}
			return err
		},
		Witness: func(ctx context.Context) (string, error) {
			now, err := running(ctx)
			if err != nil {
				return "", err
			}
			if left := common(now, killed); len(left) > 0 || len(killed) == 0 {
				return "", fmt.Errorf("pids %v still run, of %v that were signalled", left, killed)
			}
			return fmt.Sprintf("pids %v are gone", killed), nil
		},
		Healed: runs,
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

// PauseComponent freezes a component of a node (SIGSTOP): its connections stay open and nothing answers. The witness is the state of its
// processes, and answersAt (host:port, TLS) that must fall silent; empty where the component has no port that we reach.
func PauseComponent(control cluster.Control, node, component, answersAt string) Fault {
	p := &pausedComponent{control: control, node: node, component: component, answersAt: answersAt}
	return Fault{
		Name:  fmt.Sprintf("pause %s on %s", component, node),
		Setup: there(p.goes),
		Inject: func(ctx context.Context) (err error) {
			p.pids, err = control.Signal(ctx, node, component, int(syscall.SIGSTOP))
			return err
		},
		Heal:    p.resume,
		Witness: p.stands,
		Healed:  p.goes,
	}
}

type pausedComponent struct {
	control                    cluster.Control
	node, component, answersAt string
	// pids are those that were stopped.
	pids []int
}

func (p *pausedComponent) resume(ctx context.Context) error {
	stopped, err := p.control.Stopped(ctx, p.node, p.component)
	if err != nil || len(stopped) == 0 {
		return err // what was paused has been replaced meanwhile, or nothing ever was
	}
	_, err = p.control.Signal(ctx, p.node, p.component, int(syscall.SIGCONT))
	return err
}

func (p *pausedComponent) stands(ctx context.Context) (string, error) {
	stopped, err := p.control.Stopped(ctx, p.node, p.component)
	if err != nil {
		return "", err
	}
	if len(p.pids) == 0 || len(common(p.pids, stopped)) < len(p.pids) {
		return "", fmt.Errorf("of pids %v only %v are stopped", p.pids, stopped)
	}
	if p.answersAt == "" {
		return fmt.Sprintf("pids %v are stopped", stopped), nil
	}
	if err := silent(ctx, p.answersAt); err != nil {
		return "", err
	}
	return fmt.Sprintf("pids %v are stopped, and %s does not answer", stopped, p.answersAt), nil
}

func (p *pausedComponent) goes(ctx context.Context) (string, error) {
	running, err := p.control.Processes(ctx, p.node, p.component)
	if err != nil {
		return "", err
	}
	stopped, err := p.control.Stopped(ctx, p.node, p.component)
	if err != nil {
		return "", err
	}
	if len(running) == 0 || len(stopped) > 0 {
		return "", fmt.Errorf("pids %v of %s are on %s, of which %v are stopped", running, p.component, p.node, stopped)
	}
	if p.answersAt != "" {
		err = answers(ctx, p.answersAt)
	}
	return fmt.Sprintf("pids %v run", running), err
}
