package routing

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history/routes"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// How often an endpoint is removed, and how many requests of each client must avoid it in a row before it comes back, a new one every quickPace: with
// two clients a 99th percentile has a hundred removals.
const (
	removals     = 50
	whileRemoved = 50
	quickPace    = 4 * time.Millisecond
)

func declareRemoval() {
	It("sends nothing to a removed endpoint soon after the API shows its removal", Serial, Label("ROUTE-016"), func(ctx SpecContext) {
		s := scene.New(ctx)
		workers := s.NodesOf(cluster.Worker, 2)
		service := s.Expose(ctx, "web")
		web(ctx, s, nil, "stays", "leaves")
		url := "http://" + service.Spec.ClusterIP + "/hostname"
		var clients []*scene.Calls
		for i, node := range workers[:2] {
			name := fmt.Sprintf("client-%d", i+1)
			client(ctx, s, name, node)
			clients = append(clients, s.Call(ctx, name, url, quickPace, patient))
		}
		leaving := newLeaving(ctx, s, clients)
		began := time.Now()
		var removed []span
		for range removals {
			removed = append(removed, leaving.once(ctx))
		}
		var late []time.Duration
		for _, calls := range clients {
			late = append(late, lateness(calls, calls.Stop(ctx), removed)...)
		}
		spread := routes.SpreadOf(late)
		scene.Record("misrouted", "time to the last misrouted request over %d removals seen by %d nodes: %s; clocks within %s", removals, len(clients), spread,
			max(clients[0].Unsure(), clients[1].Unsure()))
		scene.Spent(budget.EndpointRemoved, began, spread.P99, "99th percentile of the time to the last misrouted request")
		Expect(spread.P99).To(BeNumerically("<=", budget.EndpointRemoved.Limit()), "%s", spread)
	})
}

// span is when the API showed that the endpoint was gone, and when it was about to come back.
type span struct{ from, until time.Time }

// leaving is the endpoint that is removed and added: its pod loses and gets back the label that the Service selects. It lives on all the while, so
// that whoever still reaches it is told its name.
type leaving struct {
	s       *scene.Scene
	clients []*scene.Calls
	slices  watch.Interface
	// present are the EndpointSlices that hold it.
	present map[string]bool
}

func newLeaving(ctx context.Context, s *scene.Scene, clients []*scene.Calls) *leaving {
	GinkgoHelper()
	l := &leaving{s: s, clients: clients, present: map[string]bool{}}
	var err error
	l.slices, err = s.API.DiscoveryV1().EndpointSlices(s.Namespace).Watch(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=web"})
	Expect(err).NotTo(HaveOccurred(), "watch EndpointSlices")
	DeferCleanup(l.slices.Stop)
	l.await(ctx, true)
	l.reached(ctx)
	return l
}

// once removes the endpoint and adds it again.
func (l *leaving) once(ctx context.Context) (out span) {
	GinkgoHelper()
	l.s.Relabel(ctx, "leaves", "")
	out.from = l.await(ctx, false)
	for _, calls := range l.clients {
		avoided(ctx, calls, out.from)
	}
	out.until = time.Now()
	l.s.Relabel(ctx, "leaves", "web")
	l.await(ctx, true)
	l.reached(ctx)
	return out
}

// avoided waits until none of a client's last requests was misrouted: how late a node is shows only to who looks for as long as that.
func avoided(ctx context.Context, calls *scene.Calls, from time.Time) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) error {
		since := from
		if last := routes.After(calls.All(ctx), routes.Removal{Who: "leaves", At: calls.At(from), Until: routes.End}); last.Wrong > 0 {
			since = from.Add(last.Last + time.Nanosecond)
		}
		if good := calls.Since(ctx, since).Sent; good < whileRemoved {
			return fmt.Errorf("%d of %d requests in a row avoided the removed endpoint", good, whileRemoved)
		}
		return nil
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
}

// await returns when the API shows the endpoint, or no longer does.
func (l *leaving) await(ctx context.Context, want bool) time.Time {
	GinkgoHelper()
	limited, cancel := context.WithTimeout(ctx, budget.Converge.Limit())
	defer cancel()
	for {
		select {
		case <-limited.Done():
			Fail(fmt.Sprintf("the EndpointSlices show the endpoint: want %t, not within %s", want, budget.Converge.Limit()))
		case e, open := <-l.slices.ResultChan():
			slice, ok := e.Object.(*discoveryv1.EndpointSlice)
			Expect(open && ok).To(BeTrue(), "the watch of EndpointSlices ended: %v", e)
			l.present[slice.Name] = e.Type != watch.Deleted && slices.ContainsFunc(slice.Endpoints, leaves)
			held := false
			for _, here := range l.present {
				held = held || here
			}
			if held == want {
				return time.Now()
			}
		}
	}
}

func leaves(e discoveryv1.Endpoint) bool {
	return e.TargetRef != nil && e.TargetRef.Name == "leaves" && (e.Conditions.Ready == nil || *e.Conditions.Ready)
}

// reached waits until every client's node sends to the endpoint.
func (l *leaving) reached(ctx context.Context) {
	GinkgoHelper()
	from := time.Now()
	for _, calls := range l.clients {
		Eventually(ctx, func(ctx context.Context) int {
			m := routes.After(calls.All(ctx), routes.Removal{Who: "leaves", At: calls.At(from), Until: routes.End})
			return m.Wrong
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll/4).ShouldNot(BeZero(), "requests that reach the added endpoint")
	}
}

// lateness is, for each removal, how long after it the last misrouted request of one client was sent.
func lateness(calls *scene.Calls, all []routes.Call, removed []span) (late []time.Duration) {
	for _, r := range removed {
		late = append(late, routes.After(all, routes.Removal{Who: "leaves", At: calls.At(r.from), Until: calls.At(r.until)}).Last)
	}
	return late
}
