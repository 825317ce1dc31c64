package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// fullBelow is how little room counts as none: less than one write of a busy store.
const fullBelow = 4096

// FillDisk leaves a component of a node no room for its data; healing gives it back. The witness is the room that is left.
func FillDisk(control cluster.Control, node, component string) Fault {
	var before int64
	return Fault{
		Name: fmt.Sprintf("fill the disk of %s on %s", component, node),
		Setup: func(ctx context.Context) (err error) {
			if before, err = control.Room(ctx, node, component); err == nil && before < fullBelow {
				err = fmt.Errorf("its disk is full already: %d bytes are left", before)
			}
			return err
		},
		Inject: func(ctx context.Context) error { return control.Fill(ctx, node, component) },
		Heal:   func(ctx context.Context) error { return control.Free(ctx, node, component) },
		Witness: func(ctx context.Context) (string, error) {
			room, err := control.Room(ctx, node, component)
			if err == nil && room >= fullBelow {
				// A component that starts anew on a full disk tidies up first: fill what it made room of.
				err = errors.Join(fmt.Errorf("%d bytes are left", room), control.Fill(ctx, node, component))
			}
			return fmt.Sprintf("%d bytes are left of %d", room, before), err
		},
		Healed: func(ctx context.Context) (string, error) {
			room, err := control.Room(ctx, node, component)
			if err == nil && room < fullBelow {
				err = fmt.Errorf("only %d bytes are left", room)
			}
			if err != nil {
				return "", err
			}
			running, err := control.Processes(ctx, node, component)
			if err == nil && len(running) == 0 {
				err = fmt.Errorf("no %s runs on %s", component, node)
			}
			return fmt.Sprintf("%d bytes are free, pids %v run", room, running), err
		},
	}
}
