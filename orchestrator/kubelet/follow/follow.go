// Package follow copies a container's log as it grows, and misses no line when the log is rotated.
//
// When the kubelet rotates a log it renames it and tells the runtime to write to a new file. The runtime has the new file before it lets go of the
// old one, and writes to the old one until then, so whoever goes on to the new file once it is there misses what was written last. The system
// says when a file's last writer has closed it: only then is it read to its end and left for the one that came after it.
//
// package server asks for the copy, with the runtime's word on whether the container still runs; package rotation is who renames the files.
package follow

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	crilogs "k8s.io/cri-client/pkg/logs"
)

const (
	// quiet is how often a log is looked at that nobody writes to. One that has been replaced, or whose container has ended, is complete when it was
	// quiet for that long, if nobody said that it was closed: its writer may have been gone before it was watched.
	quiet = time.Second
	// settling is how soon it is looked at again when its writer has closed it: most often the container has ended and the runtime says so in a
	// moment. It doubles up to quiet: a container may have closed its output and go on for hours.
	settling = 50 * time.Millisecond
)

// Running tells whether the container still runs.
type Running func(context.Context) (bool, error)

// Log copies the log at path from where opts say, until the container has ended and all it wrote is copied, opts.LimitBytes are reached, or ctx
// ends, which is an error. A stream whose writer is nil is left out.
func Log(ctx context.Context, path string, opts *crilogs.LogOptions, running Running, stdout, stderr io.Writer) error {
	w, err := newWatch(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	f := &follower{path: path, watch: w, running: running, out: newWriter(opts, stdout, stderr)}
	defer f.close()
	if err := f.open(path); err != nil {
		return err
	}
	if opts.TailLines != nil {
		if err := skipToTail(f.file, *opts.TailLines); err != nil {
			return err
		}
	}
	err = f.run(ctx)
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

type follower struct {
	path    string
	watch   *watch
	running Running
	out     *writer

	file *os.File
	// partly is the beginning of a record whose end is not written yet.
	partly []byte
	buffer [32 << 10]byte
}

// open goes on with another file. It is watched before it is read: what is written meanwhile is read, or told, or both.
func (f *follower) open(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.watch.set(file); err != nil {
		file.Close()
		return err
	}
	f.close()
	f.file = file
	return nil
}

func (f *follower) close() {
	if f.file != nil {
		f.file.Close()
	}
}

// run copies what there is, waits for more, and copies that.
func (f *follower) run(ctx context.Context) error {
	goesOn, err := f.running(ctx)
	if err != nil {
		return err
	}
	ended, replaced := !goesOn, false
	writer := outlook{closed: ended, pause: quiet}
	for {
		read, err := f.drain()
		if err != nil {
			return err
		}
		next, err := successor(f.file, f.path)
		if err != nil {
			return err
		}
		succeededTwice := next != "" && next != f.path // the runtime wrote to the next one, too, and left it
		complete := writer.closed || succeededTwice || writer.idle && read == 0 && (replaced || ended)
		switch {
		case complete && next != "":
			if err := f.goOn(next); err != nil {
				return err
			}
			replaced, writer = false, outlook{pause: quiet}
			continue
		case complete && ended:
			return f.out.record(f.partly)
		}
		replaced = next != "" // since before the wait
		said, err := f.watch.wait(ctx, writer.pause)
		if err != nil {
			return err
		}
		writer.hear(said)
		if said != written && !ended {
			if goesOn, err = f.running(ctx); err != nil {
				return err
			}
			ended = !goesOn
		}
	}
}

// outlook is what is known of whoever writes to a file.
type outlook struct {
	// closed: nobody does any more, as far as was told.
	closed bool
	// idle: nothing was said of the file during the last wait.
	idle bool
	// pause is how long to wait next.
	pause time.Duration
}

func (o *outlook) hear(said word) {
	o.idle = said == nothing
	o.closed = said == lastClosed || o.closed && o.idle
	switch {
	case said == lastClosed:
		o.pause = settling
	case o.closed:
		o.pause = min(2*o.pause, quiet)
	default:
		o.pause = quiet
	}
}

// goOn leaves a file that is complete: a record that was half written stays so.
func (f *follower) goOn(next string) error {
	if err := f.out.record(f.partly); err != nil {
		return err
	}
	f.partly = nil
	err := f.open(next)
	if errors.Is(err, os.ErrNotExist) {
		return nil // compressed or removed just now: it has a successor too
	}
	return err
}

// drain copies all whole records up to the end of the file and returns how many bytes it read.
func (f *follower) drain() (int, error) {
	total := 0
	for {
		n, err := f.file.Read(f.buffer[:])
		total += n
		rest := f.buffer[:n]
		for {
			line, after, whole := bytes.Cut(rest, []byte{'\n'})
			if !whole {
				f.partly = append(f.partly, line...)
				break
			}
			line = rest[:len(line)+1]
			if len(f.partly) > 0 {
				line = append(f.partly, line...)
				f.partly = f.partly[:0]
			}
			if err := f.out.record(line); err != nil {
				return total, err
			}
			rest = after
		}
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}
