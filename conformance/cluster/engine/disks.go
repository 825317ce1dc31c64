package engine

import (
	"context"

	"github.com/plumb-k8s/plumb/conformance/cluster/words"
)

// Fill puts a full disk under a component's data, by the helper.
func (c *Control) Fill(ctx context.Context, node, component string) error {
	return words.Say(c.alone).Fill(ctx, node, component)
}

// Free takes it away again. A node that is down gets its own disk back by being started: what was put over that is gone.
func (c *Control) Free(ctx context.Context, node, component string) error {
	return words.Say(c.alone).Free(ctx, node, component)
}

// Room is asked there.
func (c *Control) Room(ctx context.Context, node, component string) (int64, error) {
	return words.Say(c.alone).Room(ctx, node, component)
}
