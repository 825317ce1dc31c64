package words

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Fill leaves no room under a component's data.
func (say Say) Fill(ctx context.Context, node, component string) error {
	_, err := say(ctx, node, "fill", component)
	return err
}

// Free gives it back.
func (say Say) Free(ctx context.Context, node, component string) error {
	_, err := say(ctx, node, "free", component)
	return err
}

// Room reads a number of bytes.
func (say Say) Room(ctx context.Context, node, component string) (int64, error) {
	out, err := say(ctx, node, "room", component)
	if err != nil {
		return 0, err
	}
	room, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("room on %s: want a number of bytes, was told %q", node, strings.TrimSpace(out))
	}
	return room, nil
}
