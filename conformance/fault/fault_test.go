package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	// port is the node's, which ends with it; liar: whatever is done to the node its state is told as if that had been done, and its port goes on.
	port *httptest.Server
	liar bool
	// refusals is how many pauses are refused before one is obeyed.
	refusals int
}

// serving gives the machine a port, outside of the bubble of its test.
func (m *machine) serving(t *testing.T) string {
	m.port = httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(m.port.Close)
	return m.port.Listener.Addr().String()
}

// unplug ends the port: for good, or only the connections that are open.
func (m *machine) unplug(forGood bool) {
	if m.port == nil || m.deaf || m.liar {
		return
	}
	if forGood {
		_ = m.port.Listener.Close()
	}
	m.port.CloseClientConnections()
}

func (m *machine) set(f func(*cluster.State)) error {
	if !m.deaf {
		f(&m.state)
	}
	return nil
}

func (m *machine) Stop(context.Context, string) error {
	m.unplug(false)
	return m.set(func(s *cluster.State) { s.Running = false })
}
func (m *machine) Kill(context.Context, string) error {
	m.unplug(true)
	return m.set(func(s *cluster.State) { s.Running, s.ExitCode = false, 137 })
}
func (m *machine) Start(context.Context, string) error {
	m.boots++
	return m.set(func(s *cluster.State) { s.Running, s.StartedAt = true, fmt.Sprint("boot ", m.boots) })
}
func (m *machine) Pause(context.Context, string) error {
	if m.refusals--; m.refusals >= 0 {
		return errors.New("unable to freeze")
	}
	m.unplug(true)
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
		"node killed":                 {machine{state: cluster.State{Running: true}}, killed, false},
		"node restarted":              {machine{state: cluster.State{Running: true}}, restarted, false},
		"node that was not restarted": {machine{state: cluster.State{Running: true}, deaf: true}, restarted, true},
		"node that survives":          {machine{state: cluster.State{Running: true}, deaf: true}, killed, true},
		"node that was down":          {machine{}, killed, true},
		"node said to be killed":      {machine{state: cluster.State{Running: true}, liar: true}, killed, true},
		"node said to be restarted":   {machine{state: cluster.State{Running: true}, liar: true}, restarted, true},
	} {
		t.Run(name, func(t *testing.T) {
			row.machine.serving(t)
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

func killed(m *machine) Fault { return KillNode(m, "n", m.port.Listener.Addr().String()) }

func restarted(m *machine) Fault { return RestartNode(m, "n", m.port.Listener.Addr().String()) }

// An engine that has much to do may refuse for a moment; one that refuses for good is no fault.
func TestARefusedInjectionIsTriedAgain(t *testing.T) {
	for refusals, refused := range map[int]bool{0: false, injections - 1: false, injections: true} {
		m := &machine{state: cluster.State{Running: true}, refusals: refusals}
		at := m.serving(t)
		synctest.Test(t, func(t *testing.T) {
			for name, f := range map[string]Fault{"alone": PauseNode(m, "n", at), "together": Together(PauseNode(m, "n", at))} {
				m.refusals, m.state.Paused = refusals, false
				if err := f.insist(t.Context()); (err != nil) != refused || m.state.Paused == refused {
					t.Errorf("%s, refused %d times: %v, paused %t", name, refusals, err, m.state.Paused)
				}
			}
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
