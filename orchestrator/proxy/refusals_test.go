package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

// kernel is a filter that takes what it is told to take.
type kernel struct {
	refuses map[string]error
	fails   error
	// holds counts the elements of each Service.
	holds map[string]int
}

func (k *kernel) Apply(fragments map[string]ruleset.Fragment) (map[string]error, error) {
	if k.fails != nil {
		return nil, k.fails
	}
	refused := map[string]error{}
	for key, fragment := range fragments {
		if k.refuses[key] != nil {
			refused[key] = k.refuses[key]
			continue
		}
		k.holds[key] = len(fragment)
	}
	return refused, nil
}

func (*kernel) Check() error { return nil }
func (*kernel) Close()       {}

// world is a proxy between an API of two Services and a kernel.
type world struct {
	*Proxy
	kernel *kernel
	clock  *testingclock.FakeClock
	events *record.FakeRecorder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	state, err := newState(&rest.Config{}, "n")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		kernel: &kernel{refuses: map[string]error{}, holds: map[string]int{}},
		clock:  testingclock.NewFakeClock(time.Now()), events: record.NewFakeRecorder(10),
	}
	cfg := Config{Settings: &Settings{HostnameOverride: "n"}, Logger: slog.New(slog.DiscardHandler), Clock: w.clock}
	w.Proxy = assemble(cfg, state, &events{node: "n", recorder: w.events})
	w.tables = []filter{w.kernel}
	for name, ip := range map[string]string{"a": "10.96.0.1", "b": "10.96.0.2"} {
		put(t, state.services, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
			Spec:       corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 80}}},
		})
		w.backlog.add("ns/" + name)
	}
	return w
}

func put(t *testing.T, into cache.SharedIndexInformer, object any) {
	t.Helper()
	if err := into.GetStore().Add(object); err != nil {
		t.Fatal(err)
	}
}

// pass lets time pass and whatever waits for it happen.
func (w *world) pass(t *testing.T, d time.Duration) {
	w.clock.Step(d)
	select {
	case <-w.backlog.wake:
		w.sync(t.Context())
	default:
	}
}

// ask returns the answer of a health handler.
func ask(t *testing.T, h http.Handler) (int, map[string]any) {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	body := map[string]any{}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return answer.Code, body
}

func TestARefusedServiceIsNamedWhileTheOthersAreServed(t *testing.T) {
	w := newWorld(t)
	w.kernel.refuses["ns/a"] = errors.New("file exists")
	w.sync(t.Context())
	w.health.services["ns/b"] = &serviceHealth{local: 1}
	if w.kernel.holds["ns/b"] == 0 {
		t.Error("the other Service is not programmed")
	}
	code, body := ask(t, w.health.nodeHandler(true))
	if why, _ := body["refused"].(map[string]any); code != http.StatusOK || why["ns/a"] != "file exists" {
		t.Errorf("health at once: %d %v", code, body)
	}
	select {
	case event := <-w.events.Events:
		if !strings.HasPrefix(event, "Warning FailedToProgramService node n failed to program the service: file exists") {
			t.Error(event)
		}
	default:
		t.Error("there is no event")
	}
	for range 8 {
		w.pass(t, 15*time.Second)
	}
	if code, _ := ask(t, w.health.nodeHandler(false)); code != http.StatusServiceUnavailable {
		t.Errorf("a change that has waited for minutes leaves health at %d", code)
	}
	if code, _ := ask(t, w.health.serviceHandler("ns/b")); code != http.StatusOK {
		t.Errorf("health of the Service that is served: %d", code)
	}
	if len(w.events.Events) > 0 {
		t.Error("the same is said twice")
	}
	delete(w.kernel.refuses, "ns/a")
	w.pass(t, longestPause)
	if code, body := ask(t, w.health.nodeHandler(true)); code != http.StatusOK || body["refused"] != nil || w.kernel.holds["ns/a"] == 0 {
		t.Errorf("once it is accepted: %d %v", code, body)
	}
}

func TestPausesBetweenAttemptsGrow(t *testing.T) {
	r := newRefusals(testingclock.NewFakeClock(time.Now()))
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if _, pause := r.refuse("ns/a", "no"); pause != want {
			t.Errorf("%s, not %s", pause, want)
		}
	}
	r.accept("ns/a")
	if news, pause := r.refuse("ns/a", "no"); !news || pause != time.Second {
		t.Errorf("after it was accepted: %v %s", news, pause)
	}
}

// A Service that changes all the time and is refused all the time has one next attempt, not one for each change.
func TestThereIsOneNextAttempt(t *testing.T) {
	w := newWorld(t)
	w.kernel.refuses["ns/a"] = errors.New("file exists")
	for range 5 {
		w.backlog.add("ns/a")
		w.sync(t.Context())
	}
	if waiting := w.clock.Waiters(); waiting != 1 {
		t.Errorf("%d attempts are waiting", waiting)
	}
}

func TestARetryDoesNotMakeAChangeYounger(t *testing.T) {
	w := newWorld(t)
	w.sync(t.Context())
	w.kernel.fails = errors.New("no memory")
	w.backlog.add("ns/a")
	w.sync(t.Context())
	for range 8 {
		w.backlog.add("ns/b")
		w.pass(t, 10*time.Second)
	}
	if code, body := ask(t, w.health.nodeHandler(false)); code != http.StatusServiceUnavailable {
		t.Errorf("nothing was programmed for 80 s: %d %v", code, body)
	}
	w.kernel.fails = nil
	w.pass(t, longestPause)
	if code, body := ask(t, w.health.nodeHandler(false)); code != http.StatusOK {
		t.Errorf("once it works again: %d %v", code, body)
	}
}

func TestServiceCIDRsAreCompiledTogether(t *testing.T) {
	w := newWorld(t)
	for name, cidr := range map[string]string{"kubernetes": "10.96.0.0/16", "more": "10.97.0.0/24"} {
		put(t, w.state.ranges, &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{cidr}}})
	}
	if got := w.compile(serviceRanges); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// Reading the kernel's table of connections takes as long as it takes: the next change must not wait for it.
func TestChangesDoNotWaitForTheTableOfConnections(t *testing.T) {
	f := newFlows(slog.New(slog.DiscardHandler))
	begun, end := make(chan struct{}, 4), make(chan struct{}) // two families, twice
	f.remove = func(netlink.InetFamily, destinations) (uint, error) {
		begun <- struct{}{}
		<-end
		return 0, nil
	}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { f.run(ctx) })
	dns := ruleset.Frontend{Address: netip.MustParseAddr("10.96.0.10"), Protocol: ruleset.UDP, Port: 53}
	f.forget(map[string]ruleset.Fragment{"dns": {{Set: ruleset.NoEndpoints, Frontend: dns}: {Refusal: ruleset.Reject}}})
	<-begun
	f.forget(map[string]ruleset.Fragment{"dns": nil})
	cancel()
	close(end)
	running.Wait()
}
