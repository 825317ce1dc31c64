package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Processes of a component, by the helper.
func (c *Control) Processes(ctx context.Context, node, component string) ([]int, error) {
	return c.pids(ctx, node, func(string) bool { return true }, "processes", component)
}

// Stopped are those in state T.
func (c *Control) Stopped(ctx context.Context, node, component string) ([]int, error) {
	return c.pids(ctx, node, func(state string) bool { return state == "T" }, "processes", component)
}

// Signal sends the signal by the helper.
func (c *Control) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	return c.pids(ctx, node, func(string) bool { return true }, "signal", component, strconv.Itoa(signal))
}

// pids reads "PID STATE" a line, or "PID", and keeps those whose state is wanted.
func (c *Control) pids(ctx context.Context, node string, wanted func(state string) bool, words ...string) ([]int, error) {
	out, err := c.run(ctx, node, helper{words: words, host: amongProcesses})
	if err != nil {
		return nil, err
	}
	var pids []int
	for line := range strings.Lines(out) {
		number, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("fault helper on %s said %q", node, line)
		}
		if wanted(state) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
