package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// machine is a node in memory: what is asked of it happens, unless deaf.
type machine struct {
	cluster.Unsupported
	state cluster.State
	pids  []int
	next  int
	// deaf: actions are confirmed and do nothing, as of an engine that lies.
	deaf bool
	// boots counts the starts.
	boots int
	// stuck: what was killed is not started again.
	stuck bool
}

func (m *machine) set(f func(*cluster.State)) error {
	if !m.deaf {
		f(&m.state)
	}
	return nil
}

func (m *machine) Stop(context.Context, string) error {
	return m.set(func(s *cluster.State) { s.Running = false })
}
func (m *machine) Kill(context.Context, string) error {
	return m.set(func(s *cluster.State) { s.Running, s.ExitCode = false, 137 })
}
func (m *machine) Start(context.Context, string) error {
	m.boots++
	return m.set(func(s *cluster.State) { s.Running, s.StartedAt = true, fmt.Sprint("boot ", m.boots) })
}
func (m *machine) Pause(context.Context, string) error {
	return m.set(func(s *cluster.State) { s.Paused = true })
}
func (m *machine) Unpause(context.Context, string) error {
	return m.set(func(s *cluster.State) { s.Paused = false })
}
func (m *machine) State(context.Context, string) (cluster.State, error)     { return m.state, nil }
func (m *machine) Logs(context.Context, string, io.Writer) error            { return nil }
func (m *machine) Processes(context.Context, string, string) ([]int, error) { return m.pids, nil }

func (m *machine) Signal(context.Context, string, string, int) ([]int, error) {
	killed := slices.Clone(m.pids)
	if !m.deaf {
		m.pids = nil
		if !m.stuck {
			m.next++
			m.pids = []int{1000 + m.next}
		}
	}
	return killed, nil
}

func TestFaultsAreWitnessedAndHealed(t *testing.T) {
	for name, row := range map[string]struct {
		machine machine
		fault   func(*machine) Fault
		refused bool
	}{
		"component killed":            {machine{pids: []int{7}}, func(m *machine) Fault { return KillComponent(m, "n", "etcd") }, false},
		"component that survives":     {machine{pids: []int{7}, deaf: true}, func(m *machine) Fault { return KillComponent(m, "n", "etcd") }, true},
		"component that is not here":  {machine{}, func(m *machine) Fault { return KillComponent(m, "n", "etcd") }, true},
		"node killed":                 {machine{state: cluster.State{Running: true}}, func(m *machine) Fault { return KillNode(m, "n") }, false},
		"node stopped":                {machine{state: cluster.State{Running: true}}, func(m *machine) Fault { return StopNode(m, "n") }, false},
		"node restarted":              {machine{state: cluster.State{Running: true}}, func(m *machine) Fault { return RestartNode(m, "n") }, false},
		"node that was not restarted": {machine{state: cluster.State{Running: true}, deaf: true}, func(m *machine) Fault { return RestartNode(m, "n") }, true},
		"node that survives":          {machine{state: cluster.State{Running: true}, deaf: true}, func(m *machine) Fault { return KillNode(m, "n") }, true},
		"node that was down":          {machine{}, func(m *machine) Fault { return KillNode(m, "n") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var journal []string
				note := func(kind verdict.Kind, _, _ string) { journal = append(journal, string(kind)) }
				a, err := Inject(t.Context(), row.fault(&row.machine), note)
				if errors.Is(err, ErrNotWitnessed) != row.refused {
					t.Fatalf("inject: %v", err)
				}
				if row.refused {
					return
				}
				if err := errors.Join(a.Heal(t.Context()), a.Heal(t.Context())); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(journal, " "); got != "injected witnessed healing healed" {
					t.Fatalf("journal: %s", got)
				}
			})
		})
	}
}

func TestAFaultWithoutAWitnessIsHealedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healed := 0
		f := Fault{
			Name: "f", Inject: func(context.Context) error { return nil },
			Witness: func(context.Context) (string, error) { return "", errors.New("nothing to see") },
			Heal:    func(context.Context) error { healed++; return nil },
			Healed:  func(context.Context) (string, error) { return "", nil },
		}
		if _, err := Inject(t.Context(), f, func(verdict.Kind, string, string) {}); !errors.Is(err, ErrNotWitnessed) || healed != 1 {
			t.Fatalf("got %v, healed %d times", err, healed)
		}
	})
}

// late is a machine whose component is away until its process has been asked for a few times, and away again once it is to be signalled, if fleeting.
type late struct {
	machine
	away     int
	fleeting bool
}

func (l *late) Processes(ctx context.Context, node, component string) ([]int, error) {
	if l.away--; l.away >= 0 {
		return nil, nil
	}
	return l.machine.Processes(ctx, node, component)
}

func (l *late) Stopped(context.Context, string, string) ([]int, error) { return nil, nil }

func (l *late) Signal(ctx context.Context, node, component string, signal int) ([]int, error) {
	if l.fleeting {
		return nil, nil
	}
	return l.machine.Signal(ctx, node, component, signal)
}

func TestAComponentOnItsWayBackIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &late{machine: machine{pids: []int{7}}, away: 3}
		if _, err := Inject(t.Context(), KillComponent(l, "n", "etcd"), func(verdict.Kind, string, string) {}); err != nil {
			t.Fatal(err)
		}
		l.away = 3
		if err := PauseComponent(l, "n", "etcd", "").Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// booting is a machine that is down until it has been asked for a few times.
type booting struct {
	machine
	down int
}

func (b *booting) State(ctx context.Context, node string) (cluster.State, error) {
	if b.down--; b.down >= 0 {
		return cluster.State{}, nil
	}
	return b.machine.State(ctx, node)
}

func TestANodeOnItsWayBackIsAwaited(t *testing.T) {
	serving := httptest.NewTLSServer(nil)
	defer serving.Close()
	b := &booting{machine: machine{state: cluster.State{Running: true}}, down: 3}
	if err := PauseNode(b, "n", serving.Listener.Addr().String()).Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Signalling nobody is no fault, whatever can be seen afterwards.
func TestAComponentThatWasNotSignalledIsNotKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &late{machine: machine{pids: []int{7}}, fleeting: true}
		if _, err := Inject(t.Context(), KillComponent(l, "n", "etcd"), func(verdict.Kind, string, string) {}); !errors.Is(err, ErrNotWitnessed) {
			t.Fatalf("got %v, want that nothing was witnessed", err)
		}
	})
}

func TestWhatIsUnsupportedIsNotAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := Inject(t.Context(), KillComponent(cluster.Unsupported{}, "n", "etcd"), func(verdict.Kind, string, string) {})
		if !errors.Is(err, ErrNotWitnessed) || !errors.Is(err, cluster.ErrUnsupported) || time.Since(began) != 0 {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
	})
}
