package engine

import (
	"context"

	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// Processes of a component, by the helper.
func (c *Control) Processes(ctx context.Context, node, component string) ([]int, error) {
	return words.Say(c.beside).Processes(ctx, node, component)
}

// Stopped are those in state T.
func (c *Control) Stopped(ctx context.Context, node, component string) ([]int, error) {
	return words.Say(c.beside).Stopped(ctx, node, component)
}

// Signal sends the signal by the helper.
func (c *Control) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	return words.Say(c.beside).Signal(ctx, node, component, signal)
}
