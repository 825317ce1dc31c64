package fault

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// fullBelow is how little room counts as none: less than one write of a busy store.
const fullBelow = 4096

// FillDisk leaves a component of a node no room for its data; healing gives it back. The witness is the component itself: since then its log tells
// that a write found no space. That no room is left shows nothing: it may have reserved enough before.
func FillDisk(control cluster.Control, node, component string) Fault {
	f := &fullDisk{control: control, node: node, component: component}
	return Fault{
		Name:    fmt.Sprintf("fill the disk of %s on %s", component, node),
		Setup:   f.setup,
		Inject:  func(ctx context.Context) error { return control.Fill(ctx, node, component) },
		Heal:    func(ctx context.Context) error { return control.Free(ctx, node, component) },
		Witness: f.bites,
		Healed:  f.healed,
	}
}

type fullDisk struct {
	control         cluster.Control
	node, component string
	// before is the room that there was, told how often the log spoke of no space.
	before int64
	told   int
}

func (f *fullDisk) setup(ctx context.Context) (err error) {
	if f.before, err = f.control.Room(ctx, f.node, f.component); err == nil && f.before < fullBelow {
		err = fmt.Errorf("its disk is full already: %d bytes are left", f.before)
	}
	if err != nil {
		return err
	}
	f.told, _, err = f.complaints(ctx)
	return err
}

func (f *fullDisk) bites(ctx context.Context) (string, error) {
	room, err := f.control.Room(ctx, f.node, f.component)
	if err == nil && room >= fullBelow {
		// A component that starts anew on a full disk tidies up first: fill what it made room of.
		err = errors.Join(fmt.Errorf("%d bytes are left", room), f.control.Fill(ctx, f.node, f.component))
	}
	if err != nil {
		return "", err
	}
	told, last, err := f.complaints(ctx)
	if err == nil && told <= f.told {
		err = fmt.Errorf("%d bytes are left of %d, and the log of %s tells of no write that found no space", room, f.before, f.component)
	}
	return fmt.Sprintf("%d bytes are left of %d, and %s says: %s", room, f.before, f.component, last), err
}

func (f *fullDisk) healed(ctx context.Context) (string, error) {
	room, err := f.control.Room(ctx, f.node, f.component)
	if err == nil && room < fullBelow {
		err = fmt.Errorf("only %d bytes are left", room)
	}
	if err != nil {
		return "", err
	}
	running, err := f.control.Processes(ctx, f.node, f.component)
	if err == nil && len(running) == 0 {
		err = fmt.Errorf("no %s runs on %s", f.component, f.node)
	}
	return fmt.Sprintf("%d bytes are free, pids %v run", room, running), err
}

// noSpace is how Linux words ENOSPC.
const noSpace = "no space left on device"

// complaints counts how often the component's logs on the node tell of no space, and gives the last line that does.
func (f *fullDisk) complaints(ctx context.Context) (told int, last string, err error) {
	read, write := io.Pipe()
	defer read.Close() // ends the copying, should it go on
	go func() { write.CloseWithError(f.control.Logs(ctx, f.node, write)) }()
	files := tar.NewReader(read)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return told, last, nil
		}
		if err != nil {
			return 0, "", fmt.Errorf("logs of %s: %w", f.node, err)
		}
		if header.Typeflag != tar.TypeReg || !strings.Contains(header.Name, f.component) {
			continue
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return 0, "", fmt.Errorf("logs of %s: %s: %w", f.node, header.Name, err)
		}
		if at := bytes.LastIndex(text, []byte(noSpace)); at >= 0 {
			told += bytes.Count(text, []byte(noSpace))
			line, _, _ := bytes.Cut(text[bytes.LastIndexByte(text[:at], '\n')+1:], []byte("\n"))
			last = string(line[:min(len(line), longest)])
		}
	}
}

// longest is how much of a line of a log is kept as evidence.
const longest = 500
