package ha

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareNodeComponents() {
	for i, component := range []string{"kubelet", "containerd"} {
		id := []string{"HA-005", "HA-007"}[i]
		It("keeps containers running and starts new ones after "+component+" was killed", Serial, Label(id), func(ctx SpecContext) {
			s := scene.New(ctx)
			survives(ctx, s, func(node string) fault.Fault { return fault.KillComponent(s.Control(), node, component) })
		})
	}
	It("keeps containers running and starts new ones after the kubelet was told to stop", Serial, Label("HA-011"), func(ctx SpecContext) {
		s := scene.New(ctx)
		survives(ctx, s, func(node string) fault.Fault { return fault.StopComponent(s.Control(), node, "kubelet") })
	})
	It("keeps containers running and starts new ones after a worker had no way to the apiservers", Serial, Label("HA-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		all := append(s.NodesOf(cluster.ControlPlane, 1), cluster.Balancer)
		node, before := settled(ctx, s)
		cut := s.Break(ctx, fault.Isolate(s.Cluster, node, all...))
		scene.Heal(ctx, cut)
		goesOn(ctx, s, node, before)
	})
	It("routes to a Service while kube-proxy is killed, and to its changes afterwards", Serial, Label("HA-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		node := s.NodesOf(cluster.Worker, 1)[0]
		client := s.Run(ctx, scene.On(node, s.Echo("client", nil)))
		s.Run(ctx, s.Echo("web-1", scene.App("web")))
		service := s.Expose(ctx, "web")
		url := "http://" + service.Spec.ClusterIP
		reaches(ctx, s, client.Name, url, "web-1")
		calls := callOn(ctx, s, client.Name, url)
		killed := s.Break(ctx, fault.KillComponent(s.Control(), node, "kube-proxy"))
		since := time.Now()
		Eventually(ctx, func() int { return calls.answered(since) }).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeNumerically(">=", 20))
		failed := calls.stop()
		scene.Record("calls", "%d answered that were made after the kill, %d failed", calls.answered(since), len(failed))
		Expect(failed).To(BeEmpty(), "calls that failed while kube-proxy was killed")
		s.Run(ctx, s.Echo("web-2", scene.App("web")))
		Expect(s.API.CoreV1().Pods(s.Namespace).Delete(ctx, "web-1", metav1.DeleteOptions{})).To(Succeed())
		reaches(ctx, s, client.Name, url, "web-2")
		scene.Heal(ctx, killed)
	})
}

// survives ends a component of a node: a container of it runs on, and another is started. To start the component anew is the node's own work, so what
// it is to do again is asked for first, and the new process witnessed then.
func survives(ctx context.Context, s *scene.Scene, end func(node string) fault.Fault) {
	GinkgoHelper()
	node, before := settled(ctx, s)
	ended := s.Break(ctx, end(node))
	goesOn(ctx, s, node, before)
	scene.Heal(ctx, ended)
	sameContainer(ctx, s, before)
}

// settled is a worker with a pod on it.
func settled(ctx context.Context, s *scene.Scene) (node string, pod *corev1.Pod) {
	GinkgoHelper()
	node = s.NodesOf(cluster.Worker, 1)[0]
	return node, s.Run(ctx, scene.On(node, s.Echo("old", nil)))
}

// goesOn: the node starts a new pod, is Ready, and has left the container of the old one alone.
func goesOn(ctx context.Context, s *scene.Scene, node string, before *corev1.Pod) {
	GinkgoHelper()
	s.Run(ctx, scene.On(node, s.Echo("new", nil)))
	sameContainer(ctx, s, before)
	s.WaitNodesReady(ctx)
	sameContainer(ctx, s, before)
}

// sameContainer expects a pod's container to be the one that it was.
func sameContainer(ctx context.Context, s *scene.Scene, before *corev1.Pod) {
	GinkgoHelper()
	now := s.WaitReady(ctx, before.Name)
	was, is := before.Status.ContainerStatuses[0], now.Status.ContainerStatuses[0]
	Expect(now.UID).To(Equal(before.UID))
	Expect(is.ContainerID).To(Equal(was.ContainerID), "the container was replaced")
	Expect(is.RestartCount).To(Equal(was.RestartCount), "the container was restarted")
	Expect(is.State.Running).NotTo(BeNil())
	Expect(is.State.Running.StartedAt).To(Equal(was.State.Running.StartedAt))
}

// reaches waits until only the named pod answers.
func reaches(ctx context.Context, s *scene.Scene, from, url, pod string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (map[string]int, error) { return s.Names(ctx, from, url, 5) }).
		WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(map[string]int{pod: 5}))
}

// calls are requests that go on in the background.
type calls struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu sync.Mutex
	// good is when each that was answered began.
	good   []time.Time
	failed []string
}

// callOn has a pod call a URL again and again, each time by a new connection, until stop.
func callOn(ctx context.Context, s *scene.Scene, from, url string) *calls {
	ctx, cancel := context.WithCancel(ctx)
	c := &calls{cancel: cancel}
	DeferCleanup(c.stop)
	c.done.Go(func() {
		tick := time.NewTicker(target.Poll / 4)
		defer tick.Stop()
		for ctx.Err() == nil {
			began := time.Now()
			d, err := s.Dial(ctx, from, url+"/hostname")
			if ctx.Err() == nil {
				c.note(began, d, err)
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
	return c
}

func (c *calls) note(began time.Time, d scene.Dialled, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failed = append(c.failed, err.Error())
	case d.Error != "" || d.Status != 200:
		c.failed = append(c.failed, fmt.Sprintf("status %d %s", d.Status, d.Error))
	default:
		c.good = append(c.good, began)
	}
}

// answered counts those that began after a moment.
func (c *calls) answered(since time.Time) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, began := range c.good {
		if began.After(since) {
			n++
		}
	}
	return n
}

// stop ends the calls and returns what failed.
func (c *calls) stop() []string {
	c.cancel()
	c.done.Wait()
	return c.failed
}
