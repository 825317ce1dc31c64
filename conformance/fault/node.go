package fault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// KillNode takes a node down as a power cut does; healing starts it. probe is an address (host:port) of the node that speaks TLS, and must fall silent:
// whoever takes the node down is not believed alone.
func KillNode(control cluster.Control, node, probe string) Fault {
	return down(control, node, probe, "kill", control.Kill)
}

// StopNode shuts a node down in order; healing starts it. probe is as KillNode has it.
func StopNode(control cluster.Control, node, probe string) Fault {
	return down(control, node, probe, "stop", control.Stop)
}

// RestartNode shuts a node down in order and boots it at once. That it was booted again is the witness of both; there is nothing else to heal. probe is
// an address (host:port) of the node that speaks HTTP over TLS: a connection to it that was open before must have ended, whoever restarts the node says
// what they like.
func RestartNode(control cluster.Control, node, probe string) Fault {
	var before string
	var open *line
	again := func(ctx context.Context) (string, error) {
		if err := mustRun(ctx, control, node); err != nil {
			return "", err
		}
		s, err := control.State(ctx, node)
		if err == nil && s.StartedAt == before {
			err = fmt.Errorf("it runs since %s, as before", before)
		}
		if err == nil && open.ask() == nil {
			err = fmt.Errorf("a connection to %s from before goes on", probe)
		}
		return fmt.Sprintf("it runs since %s, before since %s, and a connection to %s has ended", s.StartedAt, before, probe), err
	}
	return Fault{
		Name: "restart node " + node,
		Setup: func(ctx context.Context) error {
			if err := mustRun(ctx, control, node); err != nil {
				return err
			}
			s, err := control.State(ctx, node)
			if err != nil {
				return err
			}
			before = s.StartedAt
			open, err = dialled(ctx, probe)
			return err
		},
		Inject: func(ctx context.Context) error {
			if err := control.Stop(ctx, node); err != nil {
				return err
			}
			return control.Start(ctx, node)
		},
		Heal: func(ctx context.Context) error {
			if open != nil {
				_ = open.conn.Close() // it has ended, or is of no use any more
			}
			s, err := control.State(ctx, node)
			if err != nil || s.Running {
				return err
			}
			return control.Start(ctx, node) // it was stopped, and that was all
		},
		Witness: again, Healed: again,
	}
}

func down(control cluster.Control, node, probe, verb string, take func(context.Context, string) error) Fault {
	goes := func(ctx context.Context) (string, error) {
		if err := mustRun(ctx, control, node); err != nil {
			return "", err
		}
		return "", answers(ctx, probe)
	}
	return Fault{
		Name:   verb + " node " + node,
		Setup:  there(goes),
		Inject: func(ctx context.Context) error { return take(ctx, node) },
		Heal:   func(ctx context.Context) error { return control.Start(ctx, node) },
		Witness: func(ctx context.Context) (string, error) {
			s, err := control.State(ctx, node)
			if err != nil {
				return "", err
			}
			if s.Running {
				return "", errors.New("it runs")
			}
			if err := silent(ctx, probe); err != nil {
				return "", fmt.Errorf("it is said to be down, and %w", err)
			}
			return fmt.Sprintf("it is down, exit code %d, and %s does not answer", s.ExitCode, probe), nil
		},
		Healed: func(ctx context.Context) (string, error) {
			if err := mustRun(ctx, control, node); err != nil {
				return "", err
			}
			s, err := control.State(ctx, node)
			return "it runs since " + s.StartedAt, err
		},
	}
}

// PauseNode freezes every process of a node: its connections stay open and nothing answers. probe is an address (host:port) of the node
// that speaks TLS, and must fall silent.
func PauseNode(control cluster.Control, node, probe string) Fault {
	goes := func(ctx context.Context) (string, error) {
		if err := mustRun(ctx, control, node); err != nil {
			return "", err
		}
		return "it runs, and " + probe + " answers", answers(ctx, probe)
	}
	return Fault{
		Name:   "pause node " + node,
		Setup:  there(goes),
		Inject: func(ctx context.Context) error { return control.Pause(ctx, node) },
		Heal: func(ctx context.Context) error {
			s, err := control.State(ctx, node)
			if err != nil || !s.Paused {
				return err
			}
			return control.Unpause(ctx, node)
		},
		Witness: func(ctx context.Context) (string, error) {
			s, err := control.State(ctx, node)
			if err != nil {
				return "", err
			}
			if err := silent(ctx, probe); !s.Paused || err != nil {
				return "", errors.Join(fmt.Errorf("paused: %t", s.Paused), err)
			}
			return "it is paused, and " + probe + " does not answer", nil
		},
		Healed: goes,
	}
}

func mustRun(ctx context.Context, control cluster.Control, node string) error {
	s, err := control.State(ctx, node)
	if err == nil && (!s.Running || s.Paused) {
		err = fmt.Errorf("node %s: running %t, paused %t", node, s.Running, s.Paused)
	}
	return err
}

// answers tells whether somebody at address finishes a TLS handshake; whose certificate it is does not matter here.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, budget.ProbeAnswer.Limit())
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	return conn.Close()
}

// silent tells whether nobody at address answers, given the whole time for it: that ctx ended meanwhile shows nothing.
func silent(ctx context.Context, address string) error {
	err := answers(ctx, address)
	switch {
	case err == nil:
		return fmt.Errorf("%s answers", address)
	case ctx.Err() != nil:
		return fmt.Errorf("whether %s answers was not found out: %w", address, ctx.Err())
	}
	return nil
}
