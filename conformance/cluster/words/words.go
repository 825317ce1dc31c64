// Package words is the part of node control that is said in words to something beside a node, and read from what it prints: to the fault image of
// CONTRACT.md, or to a script of NODECONTROL.md.
//
// It is fed a Say by packages engine and script, and makes of it what cluster.Processes, cluster.Disks and the probes of cluster.Network promise. It starts nothing
// by itself.
package words

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// ErrNo is the answer no, as opposed to no answer.
var ErrNo = errors.New("no")

// Exit codes of the helper and of scripts, beside 0 for yes.
const (
	exitNo          = 1
	exitUnsupported = 3
)

// Answer turns an exit code and what was complained into an error.
func Answer(what string, code int, complaint string) error {
	switch code {
	case 0:
		return nil
	case exitNo:
		return fmt.Errorf("%s: %w: %s", what, ErrNo, complaint)
	case exitUnsupported:
		return fmt.Errorf("%s: %w: %s", what, cluster.ErrUnsupported, complaint)
	}
	return fmt.Errorf("%s: exit code %d: %s", what, code, complaint)
}

// Say has words carried out at a node and returns what was printed; ErrNo is the answer no.
type Say func(ctx context.Context, node string, words ...string) (string, error)

// Processes of a component.
func (say Say) Processes(ctx context.Context, node, component string) ([]int, error) {
	return say.pids(ctx, node, func(string) bool { return true }, "processes", component)
}

// Stopped are those in state T.
func (say Say) Stopped(ctx context.Context, node, component string) ([]int, error) {
	return say.pids(ctx, node, func(state string) bool { return state == "T" }, "processes", component)
}

// Signal sends the signal.
func (say Say) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	return say.pids(ctx, node, func(string) bool { return true }, "signal", component, strconv.Itoa(signal))
}

// pids reads "PID STATE" a line, or "PID", and keeps those whose state is wanted.
func (say Say) pids(ctx context.Context, node string, wanted func(state string) bool, words ...string) ([]int, error) {
	out, err := say(ctx, node, words...)
	if err != nil {
		return nil, err
	}
	var pids []int
	for line := range strings.Lines(out) {
		number, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s on %s: want PID STATE, was told %q", strings.Join(words, " "), node, line)
		}
		if wanted(state) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Dropped reads the counters, "NAME PACKETS" a line.
func (say Say) Dropped(ctx context.Context, node string) (map[string]uint64, error) {
	out, err := say(ctx, node, "dropped")
	if err != nil {
		return nil, err
	}
	lost := map[string]uint64{}
	for line := range strings.Lines(out) {
		name, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		if lost[name], err = strconv.ParseUint(count, 10, 64); err != nil {
			return nil, fmt.Errorf("dropped on %s: want NAME PACKETS, was told %q", node, line)
		}
	}
	return lost, nil
}

// Dial connects from the node.
func (say Say) Dial(ctx context.Context, node, address string) error {
	_, err := say.reach(ctx, node, "dial", address)
	return err
}

// Fetch asks from there.
func (say Say) Fetch(ctx context.Context, node, url string) ([]byte, error) {
	out, err := say.reach(ctx, node, "fetch", url)
	return []byte(out), err
}

func (say Say) reach(ctx context.Context, node, word, to string) (string, error) {
	out, err := say(ctx, node, word, budget.ProbeAnswer.Limit().String(), to)
	if errors.Is(err, ErrNo) {
		err = fmt.Errorf("%w: %w", cluster.ErrUnreached, err)
	}
	return out, err
}
