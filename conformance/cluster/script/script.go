// Package script is node control by a program that a cluster's owner wrote: cluster.Control for nodes that no engine here knows - virtual machines,
// servers, a cloud.
//
// It is fed the program's path and the cluster's nodes, and runs the program once for each action, by conformance/cluster/NODECONTROL.md. What the
// program does not support is cluster.ErrUnsupported: what needs it is inconclusive, never passed.
package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// Config names the program and what it is told of the cluster.
type Config struct {
	// Path of the program.
	Path  string
	Nodes []cluster.Node
	// Balancer is the host or address before the apiservers.
	Balancer string
}

// Control is cluster.Control by a program.
type Control struct {
	cfg Config
	words.Say
}

var _ cluster.Control = (*Control)(nil)

// New returns the control of the nodes that cfg names, and an error when its program cannot be run.
func New(cfg Config) (*Control, error) {
	if _, err := exec.LookPath(cfg.Path); err != nil {
		return nil, err
	}
	c := &Control{cfg: cfg}
	c.Say = c.say
	return c, nil
}

// enough is how long a program that was told to stop may go on before it is killed.
const enough = 5 * time.Second

// say runs the program with the words "VERB NODE REST..." and returns what it printed.
func (c *Control) say(ctx context.Context, node string, said ...string) (string, error) {
	var out bytes.Buffer
	err := c.run(ctx, &out, node, said...)
	return out.String(), err
}

func (c *Control) run(ctx context.Context, to io.Writer, node string, said ...string) error {
	if _, err := cluster.Find(c.cfg.Nodes, node); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.cfg.Path, append([]string{said[0], node}, said[1:]...)...)
	cmd.Env = append(os.Environ(), "PLUMB_NODES="+c.nodes(), "PLUMB_BALANCER="+c.cfg.Balancer)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = enough
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = to, &complaint
	what := c.cfg.Path + " " + strings.Join(cmd.Args[1:], " ")
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return words.Answer(what, exit.ExitCode(), lastLine(complaint.String()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// nodes is "NAME=ADDRESS", a word each.
func (c *Control) nodes() string {
	var all []string
	for _, n := range c.cfg.Nodes {
		all = append(all, n.Name+"="+n.Address)
	}
	return strings.Join(all, " ")
}

// lastLine is where programs tell what went wrong.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

func (c *Control) do(ctx context.Context, node string, said ...string) error {
	_, err := c.say(ctx, node, said...)
	return err
}

// Stop and the rest are the words of the same names.
func (c *Control) Stop(ctx context.Context, node string) error    { return c.do(ctx, node, "stop") }
func (c *Control) Kill(ctx context.Context, node string) error    { return c.do(ctx, node, "kill") }
func (c *Control) Start(ctx context.Context, node string) error   { return c.do(ctx, node, "start") }
func (c *Control) Pause(ctx context.Context, node string) error   { return c.do(ctx, node, "pause") }
func (c *Control) Unpause(ctx context.Context, node string) error { return c.do(ctx, node, "unpause") }

// State reads "running SINCE", "paused SINCE" or "stopped SINCE CODE".
func (c *Control) State(ctx context.Context, node string) (s cluster.State, err error) {
	out, err := c.say(ctx, node, "state")
	if err != nil {
		return s, err
	}
	fields := strings.Fields(out)
	wrong := fmt.Errorf("%s state %s: want running, paused or stopped, since when, and the exit code; was told %q", c.cfg.Path, node, strings.TrimSpace(out))
	if len(fields) < 2 {
		return s, wrong
	}
	s.StartedAt = fields[1]
	switch fields[0] {
	case "running":
		s.Running = true
	case "paused":
		s.Running, s.Paused = true, true
	case "stopped":
		if len(fields) > 2 {
			s.ExitCode, err = strconv.Atoi(fields[2])
		}
		if err != nil {
			return s, wrong
		}
	default:
		return s, wrong
	}
	return s, nil
}

// Cut drops what passes, an edge a word: "OTHER,in", "OTHER,out" or "OTHER,both".
func (c *Control) Cut(ctx context.Context, node string, edges ...cluster.Edge) error {
	if len(edges) == 0 {
		return nil
	}
	said := []string{"cut"}
	for _, e := range edges {
		direction := map[cluster.Edge]string{{In: true}: "in", {Out: true}: "out", {In: true, Out: true}: "both"}[cluster.Edge{In: e.In, Out: e.Out}]
		said = append(said, e.Other+","+direction)
	}
	return c.do(ctx, node, said...)
}

// Mend lets everything pass again.
func (c *Control) Mend(ctx context.Context, node string) error { return c.do(ctx, node, "mend") }

// Dial connects from a node; the program is told the balancer's address, not that it is one.
func (c *Control) Dial(ctx context.Context, node, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("dial from %s: %w", node, err)
	}
	if host == cluster.Balancer {
		address = net.JoinHostPort(c.cfg.Balancer, port)
	}
	return c.Say.Dial(ctx, node, address)
}

// Logs copies the tar stream that the program prints.
func (c *Control) Logs(ctx context.Context, node string, to io.Writer) error {
	return c.run(ctx, to, node, "logs")
}
