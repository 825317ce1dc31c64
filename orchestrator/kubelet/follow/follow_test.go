package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	crilogs "k8s.io/cri-client/pkg/logs"
	"k8s.io/utils/ptr"
)

// runtime writes a log as containerd does.
type runtime struct {
	t    *testing.T
	path string
	file *os.File
	runs atomic.Bool
	said int
}

func start(t *testing.T) *runtime {
	t.Helper()
	r := &runtime{t: t, path: filepath.Join(t.TempDir(), "0.log")}
	r.file = r.create()
	r.runs.Store(true)
	return r
}

func (r *runtime) create() *os.File {
	r.t.Helper()
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		r.t.Fatal(err)
	}
	return file
}

// say writes the next lines.
func (r *runtime) say(lines int) {
	r.t.Helper()
	for range lines {
		r.said++
		if _, err := fmt.Fprintf(r.file, "2026-01-02T03:04:05.%09dZ stdout F line %d\n", r.said, r.said); err != nil {
			r.t.Fatal(err)
		}
	}
}

// rotate renames the log, goes on writing to it for some lines although the new one is there, and closes it.
func (r *runtime) rotate(name string, late int) {
	r.t.Helper()
	if err := os.Rename(r.path, r.path+"."+name); err != nil {
		r.t.Fatal(err)
	}
	next := r.create()
	r.say(late)
	r.file.Close()
	r.file = next
}

func (r *runtime) end() {
	r.file.Close()
	r.runs.Store(false)
}

func (r *runtime) running(context.Context) (bool, error) { return r.runs.Load(), nil }

// want is what all that was said looks like, from a line on.
func (r *runtime) want(from int) string {
	var all bytes.Buffer
	for n := from; n <= r.said; n++ {
		fmt.Fprintf(&all, "line %d\n", n)
	}
	return all.String()
}

// follow returns what a copy that has ended holds.
func (r *runtime) follow(opts crilogs.LogOptions) func() string {
	r.t.Helper()
	var out bytes.Buffer
	ended := make(chan error, 1)
	started := make(chan struct{})
	running := func(ctx context.Context) (bool, error) {
		select {
		case <-started:
		default:
			close(started)
		}
		return r.running(ctx)
	}
	go func() { ended <- Log(r.t.Context(), r.path, &opts, running, &out, nil) }()
	<-started
	return func() string {
		r.t.Helper()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
		return out.String()
	}
}

func TestNoLineIsMissed(t *testing.T) {
	for name, live := range map[string]func(*runtime){
		"no rotation":          func(r *runtime) { r.say(1000) },
		"said nothing":         func(*runtime) {},
		"late to the old file": func(r *runtime) { r.say(100); r.rotate("20260102-030405", 10); r.say(100) },
		"rotated while silent": func(r *runtime) { r.rotate("20260102-030405", 0); r.say(1) },
		"rotated at the end":   func(r *runtime) { r.say(1); r.rotate("20260102-030405", 1) },
		"faster than the copy": func(r *runtime) {
			for n := range 5 {
				r.say(1000)
				r.rotate(fmt.Sprintf("20260102-03040%d", n), 3)
			}
			r.say(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.say(3)
			copied := r.follow(crilogs.LogOptions{})
			live(r)
			r.end()
			if have := copied(); have != r.want(1) {
				t.Errorf("have %d bytes, want %d: %.200q", len(have), len(r.want(1)), have)
			}
		})
	}
}

// A rotation compresses what the one before it renamed: whoever reads that still has it open, and goes on to the file that was renamed next.
func TestACompressedFileIsReadToItsEnd(t *testing.T) {
	r := start(t)
	r.say(10)
	file, err := os.Open(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r.rotate("20260102-030405", 1)
	r.rotate("20260102-030406", 1)
	os.Remove(r.path + ".20260102-030405")
	if err := os.WriteFile(r.path+".20260102-030405.gz", nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if next, err := successor(file, r.path); err != nil || next != r.path+".20260102-030406" {
		t.Errorf("%s, %v", next, err)
	}
}

// The runtime that closed a log before it was watched tells it to nobody.
func TestACloseThatNobodyHeard(t *testing.T) {
	r := start(t)
	r.say(1)
	r.file.Close()
	copied := r.follow(crilogs.LogOptions{}) // it runs, and nobody writes
	if err := os.Rename(r.path, r.path+".20260102-030405"); err != nil {
		t.Fatal(err)
	}
	r.file = r.create()
	r.say(1)
	r.end()
	if have := copied(); have != r.want(1) {
		t.Errorf("have %q", have)
	}
}

func TestTheCopyEndsWithItsContext(t *testing.T) {
	r := start(t)
	defer r.end()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Log(ctx, r.path, &crilogs.LogOptions{}, r.running, io.Discard, nil) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What is shown of a record is what stock's reader, which reads logs that are not followed, shows of it.
func TestRecordsLookAsWhenTheyAreNotFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	log := `2026-01-02T03:04:05.000000001Z stdout F one
2026-01-02T03:04:05.000000002Z stderr F two
2026-01-02T03:04:05.100000000Z stdout P thr
2026-01-02T03:04:05.2Z stdout F ee
2026-01-02T03:04:06.000000005Z stdout F:later four  with spaces 
2026-01-02T03:04:06+01:00 stderr P five
`
	if err := os.WriteFile(path, []byte(log), 0o640); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		opts     crilogs.LogOptions
		noStderr bool
	}{
		"all":                 {},
		"times":               {opts: crilogs.LogOptions{Timestamp: true}},
		"tail":                {opts: crilogs.LogOptions{TailLines: ptr.To[int64](2), Timestamp: true}},
		"tail of none":        {opts: crilogs.LogOptions{TailLines: ptr.To[int64](0)}},
		"tail of too many":    {opts: crilogs.LogOptions{TailLines: ptr.To[int64](99)}},
		"since":               {opts: crilogs.LogOptions{Since: time.Date(2026, 1, 2, 3, 4, 5, 200_000_000, time.UTC), Timestamp: true}},
		"limit":               {opts: crilogs.LogOptions{LimitBytes: ptr.To[int64](9)}},
		"limit at a line":     {opts: crilogs.LogOptions{LimitBytes: ptr.To[int64](4)}},
		"limit of one stream": {opts: crilogs.LogOptions{LimitBytes: ptr.To[int64](8)}, noStderr: true},
	} {
		t.Run(name, func(t *testing.T) {
			var want, have bytes.Buffer
			plain := func(b *bytes.Buffer) io.Writer {
				if row.noStderr {
					return nil
				}
				return b
			}
			if err := crilogs.ReadLogs(t.Context(), path, "", &row.opts, nil, &want, plain(&want)); err != nil {
				t.Fatal(err)
			}
			over := func(context.Context) (bool, error) { return false, nil }
			if err := Log(t.Context(), path, &row.opts, over, &have, plain(&have)); err != nil || have.String() != want.String() {
				t.Errorf("%v\nhave %q\nwant %q", err, have.String(), want.String())
			}
		})
	}
}
