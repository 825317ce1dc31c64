package transcript

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run plays a recording on a cluster.
type Run struct {
	Recording Recording
	Player    *Player
	// Against, if set, is a cluster that the scenes are played on first: its output is compared with instead of the recorded one.
	Against *Player
	// Record, if set, is the folder of a recording that takes what was seen; nothing is compared then.
	Record string
	// Procs is how many scenes are played at the same time.
	Procs int
	Out   io.Writer

	mu sync.Mutex
	// Commands and Different count command lines; Broken the scenes that could not be played to their end.
	Commands, Different, Broken int
}

// Do plays all scenes. The error is of the run itself: what differs is counted and printed.
func (r *Run) Do(ctx context.Context) error {
	for rest := r.Recording.Scenes; len(rest) > 0 && ctx.Err() == nil; {
		n := together(rest)
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(max(r.Procs, 1))
		for _, scene := range rest[:n] {
			group.Go(func() error { return r.scene(groupCtx, scene) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return ctx.Err()
}

// together is how many of the next scenes may be played at the same time.
func together(scenes []Scene) int {
	n := 0
	for n < len(scenes) && !scenes[n].alone() {
		n++
	}
	return max(n, 1)
}

func (r *Run) scene(ctx context.Context, scene Scene) error {
	began := time.Now()
	recorded := scene
	if r.Against != nil {
		var err error
		if recorded, err = r.Against.Play(ctx, scene); err != nil {
			return fmt.Errorf("against: %w", err)
		}
	}
	seen, broken := r.Player.Play(ctx, scene)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.Record != "" && broken == nil {
		broken = Save(r.Record, seen)
	}
	r.report(recorded, seen, broken, time.Since(began))
	return nil
}

// report counts and prints what became of a scene.
func (r *Run) report(recorded, seen Scene, broken error, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Commands += recorded.Commands()
	different := 0
	for i, step := range seen.Steps {
		if step.kind != command || r.Record != "" {
			continue
		}
		if diff := r.Recording.Exceptions.Compare(recorded.Steps[i], step); diff != "" {
			different++
			fmt.Fprintf(r.Out, "%s $ %s\n%s\n", seen.Name, step.Text, indent(diff))
		}
	}
	r.Different += different
	outcome := fmt.Sprintf("%d of %d as recorded", recorded.Commands()-different, recorded.Commands())
	if broken != nil {
		r.Broken++
		outcome = "BROKEN OFF: " + broken.Error()
	}
	fmt.Fprintf(r.Out, "%-24s %5.1f s  %s\n", recorded.Name, took.Seconds(), outcome)
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
}
