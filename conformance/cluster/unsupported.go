package cluster

import (
	"context"
	"io"
)

// Unsupported is a Control that can do nothing. Controls that can do a part embed it.
type Unsupported struct{}

var _ Control = Unsupported{}

// Stop and the rest answer ErrUnsupported.
func (Unsupported) Stop(context.Context, string) error    { return ErrUnsupported }
func (Unsupported) Kill(context.Context, string) error    { return ErrUnsupported }
func (Unsupported) Start(context.Context, string) error   { return ErrUnsupported }
func (Unsupported) Pause(context.Context, string) error   { return ErrUnsupported }
func (Unsupported) Unpause(context.Context, string) error { return ErrUnsupported }

// State is not known.
func (Unsupported) State(context.Context, string) (State, error) { return State{}, ErrUnsupported }

// Processes are not seen.
func (Unsupported) Processes(context.Context, string, string) ([]int, error) {
	return nil, ErrUnsupported
}

// Stopped are not seen either.
func (Unsupported) Stopped(context.Context, string, string) ([]int, error) {
	return nil, ErrUnsupported
}

// Signal reaches none.
func (Unsupported) Signal(context.Context, string, string, int) ([]int, error) {
	return nil, ErrUnsupported
}

// Cut and Mend leave the network alone.
func (Unsupported) Cut(context.Context, string, ...Edge) error { return ErrUnsupported }
func (Unsupported) Mend(context.Context, string) error         { return ErrUnsupported }

// Dropped is not counted.
func (Unsupported) Dropped(context.Context, string) (map[string]uint64, error) {
	return nil, ErrUnsupported
}

// Dial reaches nobody.
func (Unsupported) Dial(context.Context, string, string) error { return ErrUnsupported }

// Fetch gets nothing.
func (Unsupported) Fetch(context.Context, string, string) ([]byte, error) {
	return nil, ErrUnsupported
}

// Fill and Free leave the disks alone.
func (Unsupported) Fill(context.Context, string, string) error { return ErrUnsupported }
func (Unsupported) Free(context.Context, string, string) error { return ErrUnsupported }

// Room is not known.
func (Unsupported) Room(context.Context, string, string) (int64, error) { return 0, ErrUnsupported }

// Logs are not reached.
func (Unsupported) Logs(context.Context, string, io.Writer) error { return ErrUnsupported }
