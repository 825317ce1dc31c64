package follow

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// word is what was heard of a file.
type word int

const (
	nothing word = iota
	written
	// lastClosed: one that wrote to it has closed it, and nothing was written since.
	lastClosed
)

// watch listens to one file at a time, whatever its name becomes. It is inotify itself: fsnotify does not tell that a file was closed.
type watch struct {
	fd     int
	events *os.File
	of     int
	stop   func() bool
}

// newWatch returns a watch that hears nothing yet; its waits end with ctx.
func newWatch(ctx context.Context) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch a log: %w", os.NewSyscallError("inotify_init1", err))
	}
	w := &watch{fd: fd, events: os.NewFile(uintptr(fd), "inotify"), of: -1}
	w.stop = context.AfterFunc(ctx, func() { w.events.SetReadDeadline(time.Unix(1, 0)) })
	return w, nil
}

func (w *watch) close() {
	w.stop()
	w.events.Close()
}

// set listens to this file and no longer to the one before.
func (w *watch) set(file *os.File) error {
	if w.of >= 0 {
		// It fails when the file is gone, and with it the watch.
		_, _ = unix.InotifyRmWatch(w.fd, uint32(w.of))
	}
	// By its descriptor: under its name there may be another file by now.
	of, err := unix.InotifyAddWatch(w.fd, fmt.Sprintf("/proc/self/fd/%d", file.Fd()), unix.IN_MODIFY|unix.IN_CLOSE_WRITE)
	if err != nil {
		return fmt.Errorf("watch %s: %w", file.Name(), os.NewSyscallError("inotify_add_watch", err))
	}
	w.of = of
	return nil
}

// wait returns what was said last of the file, or nothing when that is all for so long. It fails when ctx, the one of newWatch, ends.
func (w *watch) wait(ctx context.Context, long time.Duration) (word, error) {
	if err := w.events.SetReadDeadline(time.Now().Add(long)); err != nil {
		return nothing, err
	}
	if err := ctx.Err(); err != nil { // it may have ended before the deadline was set, which would undo what its end did
		return nothing, err
	}
	var buffer [4096]byte
	for {
		n, err := w.events.Read(buffer[:])
		switch {
		case ctx.Err() != nil:
			return nothing, ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nothing, nil
		case err != nil:
			return nothing, err
		}
		if said := w.heard(buffer[:n]); said != nothing {
			return said, nil
		}
	}
}

// heard reads events, each of them {wd int32; mask, cookie, length uint32; name [length]byte} in the machine's order.
func (w *watch) heard(events []byte) word {
	said := nothing
	for len(events) >= unix.SizeofInotifyEvent {
		of, mask := int32(binary.NativeEndian.Uint32(events)), binary.NativeEndian.Uint32(events[4:])
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			said = written // there was more than anybody could be told
		case int(of) != w.of:
		case mask&unix.IN_CLOSE_WRITE != 0:
			said = lastClosed
		case mask&unix.IN_MODIFY != 0:
			said = written
		}
		events = events[unix.SizeofInotifyEvent+binary.NativeEndian.Uint32(events[12:]):]
	}
	return said
}
