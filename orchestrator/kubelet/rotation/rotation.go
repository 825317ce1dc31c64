// Package rotation keeps the logs of running containers within containerLogMaxSize and containerLogMaxFiles.
//
// The runtime writes a log and rotates nothing: a log that has grown too large is renamed, the runtime is told to open a new one, and older
// ones are compressed and at last removed. It is fed the logs of running containers by the workers and calls the runtime; names and
// formats are stock's, so that log collectors and the other kubelet know them.
package rotation

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Log of a running container.
type Log struct{ ContainerID, Path string }

// Rotator of logs.
type Rotator struct {
	// MaxSize in bytes of a log; MaxFiles of a container, the one being written included.
	MaxSize  int64
	MaxFiles int
	// Workers rotate logs at the same time.
	Workers int
	Every   time.Duration
	Running func() []Log
	// Reopen makes the runtime write to a new file.
	Reopen func(ctx context.Context, containerID string) error
	Now    func() time.Time
	Logger *slog.Logger
}

// Run looks at all logs every so often until ctx ends.
func (r *Rotator) Run(ctx context.Context) {
	tick := time.NewTicker(r.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.Look(ctx)
		}
	}
}

// Look rotates what is too large.
func (r *Rotator) Look(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	free := make(chan struct{}, max(r.Workers, 1))
	for _, log := range r.Running() {
		info, err := os.Stat(log.Path)
		if err != nil || info.Size() < r.MaxSize {
			continue // a log that is not there yet, or no longer, is not too large
		}
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			if err := r.rotate(ctx, log); err != nil && ctx.Err() == nil {
				r.Logger.Warn("rotate a log", "log", log.Path, "err", err)
			}
		})
	}
}

const (
	timestamp  = "20060102-150405"
	packed     = ".gz"
	unfinished = ".tmp"
)

func (r *Rotator) rotate(ctx context.Context, log Log) error {
	entries, err := filepath.Glob(log.Path + ".*")
	if err != nil {
		return err
	}
	plan := decide(entries, r.MaxFiles)
	for _, file := range plan.remove {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for _, file := range plan.pack {
		if err := pack(file); err != nil {
			return fmt.Errorf("compress %s: %w", file, err)
		}
	}
	aside := log.Path + "." + r.Now().Format(timestamp)
	if err := os.Rename(log.Path, aside); err != nil {
		return err
	}
	if err := r.Reopen(ctx, log.ContainerID); err != nil {
		// The runtime still writes to the renamed file: under its old name it can be tried again.
		return errors.Join(fmt.Errorf("reopen the log of container %s: %w", log.ContainerID, err), os.Rename(aside, log.Path))
	}
	return nil
}

// plan of one rotation: files to remove, and files to compress.
type plan struct{ remove, pack []string }

// decide needs no I/O. After it, and after the rename, at most maxFiles logs are left, the one being written included. What is renamed last
// stays as it is until the next rotation: somebody may be reading it.
func decide(files []string, maxFiles int) plan {
	var p plan
	var rotated []string
	for _, f := range files {
		switch {
		case strings.HasSuffix(f, unfinished):
			p.remove = append(p.remove, f) // of a compression that was interrupted
		case !strings.HasSuffix(f, packed) && slices.Contains(files, f+packed):
			p.remove = append(p.remove, f) // compressed already
		default:
			rotated = append(rotated, f)
		}
	}
	slices.Sort(rotated) // their names end in times: the oldest first
	keep := max(maxFiles-2, 0)
	if over := len(rotated) - keep; over > 0 {
		p.remove = append(p.remove, rotated[:over]...)
		rotated = rotated[over:]
	}
	for _, f := range rotated {
		if !strings.HasSuffix(f, packed) {
			p.pack = append(p.pack, f)
		}
	}
	return p
}

// pack replaces a file by its compressed form, which shows under its name only when it is whole.
func pack(path string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	half := path + unfinished
	out, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(half)
		}
	}()
	z := gzip.NewWriter(out)
	if _, err = io.Copy(z, in); err == nil {
		err = z.Close()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err = os.Rename(half, path+packed); err != nil {
		return err
	}
	return os.Remove(path)
}
