package engine

import (
	"context"

	"github.com/moby/moby/api/types/container"
)

// Fill puts a full disk under a component's data, by the helper.
func (c *Control) Fill(ctx context.Context, node, component string) error {
	return c.say(onDisk).Fill(ctx, node, component)
}

// Free takes it away again. A node that is down gets its own disk back by being started: what was put over that is gone.
func (c *Control) Free(ctx context.Context, node, component string) error {
	return c.say(onDisk).Free(ctx, node, component)
}

// Room is asked there.
func (c *Control) Room(ctx context.Context, node, component string) (int64, error) {
	return c.say(onDisk).Room(ctx, node, component)
}

// onDisk joins the node's process namespace, and may enter its mounts from there.
func onDisk(h *container.HostConfig, id string) {
	amongProcesses(h, id)
	h.CapAdd = append(h.CapAdd, "SYS_ADMIN", "SYS_CHROOT", "CHOWN", "FOWNER", "DAC_OVERRIDE")
	h.SecurityOpt = append(h.SecurityOpt, "apparmor=unconfined")
}
