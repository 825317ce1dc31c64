// Package supervisor is what PID 1 of a node does: it makes the container into a machine, starts the container runtime and this node's
// components, restarts what dies, reaps orphans, gives a new cluster its add-ons, and stops everything in order.
//
// It is fed the cluster description and the PKI (the node contract) and knows components only as the entries of package roster.
package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/addons"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/machine"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/process"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/roster"
)

// Config of a supervisor.
type Config struct {
	Cluster *description.Cluster
	// Phases gets the line of JSON that the contract wants of each phase.
	Phases io.Writer
	LogDir string
	Logger *slog.Logger
	// Began is when PID 1 started.
	Began time.Time
}

// supervisor is one run.
type supervisor struct {
	Config
	keeper *process.Keeper
	// ready is closed when the entry of that name was ready for the first time.
	ready map[string]chan struct{}

	mu   sync.Mutex
	seen map[string]bool
}

// Run runs a node until ctx ends and everything it started has ended.
func Run(ctx context.Context, cfg Config) error {
	me, ok := cfg.Cluster.Me()
	if !ok {
		return errors.New("the cluster description has no self: this is no node")
	}
	s := &supervisor{Config: cfg, seen: map[string]bool{}, ready: map[string]chan struct{}{}}
	if err := s.prepare(); err != nil {
		return err
	}
	s.phase("machine prepared")
	entries, err := s.roster()
	if err != nil {
		return err
	}
	reaper := process.NewReaper()
	reaping, stopReaping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopReaping()
	go reaper.Run(reaping)
	s.keeper = &process.Keeper{Reaper: reaper, LogDir: cfg.LogDir, Logger: cfg.Logger, Clock: time.After, OnReady: s.onReady}
	for _, e := range entries {
		s.ready[e.Name] = make(chan struct{})
	}
	background := &sync.WaitGroup{}
	if me.Role == description.ControlPlane {
		if err := s.control(ctx, background, me); err != nil {
			return err
		}
	}
	inStages(ctx, entries, s.run)
	background.Wait()
	reaper.Evict(cfg.Logger)
	return nil
}

// prepare makes the machine; a failed optional step is logged.
func (s *supervisor) prepare() error {
	for _, step := range machine.Steps() {
		err := step.Do()
		if err != nil && !step.Optional {
			return fmt.Errorf("prepare the machine: %s: %w", step.Name, err)
		}
		if err != nil {
			s.Logger.Warn("the machine refuses a preparation; go on without", "step", step.Name, "error", err)
		}
	}
	return nil
}

// roster lists this node's entries and writes their files.
func (s *supervisor) roster() ([]roster.Entry, error) {
	raise, err := machine.MayRaisePriority()
	if err != nil {
		return nil, err
	}
	entries, err := roster.Of(s.Cluster, roster.Facts{MayRaisePriority: raise, Overridden: executable})
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		for path, data := range e.Files {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return nil, fmt.Errorf("files of %s: %w", e.Name, err)
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				return nil, fmt.Errorf("files of %s: %w", e.Name, err)
			}
		}
	}
	return entries, nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.FileMode(0o111) != 0 && !info.IsDir()
}

// control starts what only control planes do.
func (s *supervisor) control(ctx context.Context, background *sync.WaitGroup, me description.Node) error {
	client, err := api.New("/etc/plumb/pki/admin.conf", 5*time.Second)
	if err != nil {
		return err
	}
	release := &releaser{client: client, node: me.Name, logger: s.Logger}
	s.keeper.OnDeath = func(name string) {
		if leaders[name] {
			background.Go(func() { release.release(ctx, name) })
		}
	}
	background.Go(func() {
		if err := addons.Apply(ctx, client, s.Cluster, s.Logger, func() { s.phase("add-ons applied") }); err != nil {
			s.Logger.Error("add-ons", "error", err)
		}
	})
	return nil
}

// run keeps one entry, once the entry it comes after is ready.
func (s *supervisor) run(ctx context.Context, e roster.Entry) {
	if e.After != "" {
		select {
		case <-ctx.Done():
			return
		case <-s.ready[e.After]:
		}
	}
	err := s.keeper.Keep(ctx, process.Spec{Name: e.Name, Path: e.Executable, Args: e.Args, Ready: e.Ready.Check()})
	if err != nil {
		s.Logger.Error("process not kept", "name", e.Name, "error", err)
	}
}

func (s *supervisor) onReady(name string) {
	s.mu.Lock()
	again := s.seen[name]
	s.seen[name] = true
	s.mu.Unlock()
	if again {
		s.Logger.Info("ready again", "name", name)
		return
	}
	close(s.ready[name])
	s.phase(name + " ready")
}

// phase writes the line of one phase.
func (s *supervisor) phase(name string) {
	line, err := json.Marshal(struct {
		Phase   string  `json:"phase"`
		Seconds float64 `json:"seconds"`
	}{name, time.Since(s.Began).Round(time.Millisecond).Seconds()})
	if err != nil {
		s.Logger.Error("phase", "phase", name, "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.Phases, string(line))
}
