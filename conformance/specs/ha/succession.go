package ha

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareSuccession() {
	It("rolls a new Deployment out after both leading processes were killed at once", Serial, Label("HA-020"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.NodesOf(cluster.ControlPlane, 2)
		s.FollowLeaders(ctx)
		before := leaders(ctx, s)
		killed := s.Break(ctx, before.each(s, func(control cluster.Control, node, component string) fault.Fault {
			return fault.KillComponent(control, node, component)
		}))
		newDeployment(ctx, s, s.API, "web")
		before.succeeded(ctx, s)
		scene.Heal(ctx, killed)
		s.WaitRolledOut(ctx, "web")
		Expect(s.PodsOf(ctx, "web")).To(HaveLen(1), "two leaders would make too many pods")
	})
	It("lets a leader that was paused while another took over give way", Serial, Label("HA-021"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.NodesOf(cluster.ControlPlane, 2)
		s.FollowLeaders(ctx)
		s.Deploy(ctx, s.Deployment("web", 2))
		before := leaders(ctx, s)
		frozen := s.Break(ctx, before.each(s, func(control cluster.Control, node, component string) fault.Fault {
			return fault.PauseComponent(control, node, component, "")
		}))
		after := before.succeeded(ctx, s)
		s.Scale(ctx, "web", 6)
		s.WaitRolledOut(ctx, "web")
		// What the frozen ones know is two pods; the first thing they hear is that six are wanted. A Lease fences nobody: until a former leader knows that
		// it is none any more it may act, and its successor puts that right.
		from := stand(ctx, s)
		scene.Heal(ctx, frozen)
		Consistently(ctx, func(ctx context.Context) error { return after.still(ctx, s) }).
			WithTimeout(budget.GivesWay.Limit()).WithPolling(target.Poll).Should(Succeed(), "the Lease was taken from who held it")
		scene.Record("acted", "pods made beside the six that there were: %d", len(born(ctx, s, from)))
		Expect(s.PodsOf(ctx, "web")).To(HaveLen(6), "what a former leader did is not put right")
		from = stand(ctx, s)
		s.Scale(ctx, "web", 8)
		s.WaitRolledOut(ctx, "web")
		Expect(born(ctx, s, from)).To(HaveLen(2), "two leaders would each make what is missing")
	})
}

// held are the holders of the Leases by component.
type held map[string]string

func leaders(ctx context.Context, s *scene.Scene) held {
	GinkgoHelper()
	h := held{}
	for _, component := range scene.Elected {
		h[component], _ = s.WaitHolder(ctx, component)
	}
	return h
}

// each is one fault of all the leading processes.
func (h held) each(s *scene.Scene, of func(control cluster.Control, node, component string) fault.Fault) fault.Fault {
	var all []fault.Fault
	for _, component := range scene.Elected {
		all = append(all, of(s.Control(), leadership.NodeOf(h[component]), component))
	}
	return fault.Together(all...)
}

// succeeded returns once every Lease has another holder.
func (h held) succeeded(ctx context.Context, s *scene.Scene) held {
	GinkgoHelper()
	after := held{}
	for _, component := range scene.Elected {
		after[component] = s.WaitSuccessor(ctx, component, h[component])
	}
	return after
}

// still: nobody else has taken a Lease.
func (h held) still(ctx context.Context, s *scene.Scene) error {
	for _, component := range scene.Elected {
		if now, err := s.Holder(ctx, component); err != nil || now != h[component] {
			return fmt.Errorf("%s is held by %q, after %s: %w", component, now, h[component], err)
		}
	}
	return nil
}

// stand is the version that the pods of the namespace are at.
func stand(ctx context.Context, s *scene.Scene) string {
	GinkgoHelper()
	pods, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	return pods.ResourceVersion
}

// born are the pods that were created in the namespace since a version, also those that are gone again: a watch tells them all.
func born(ctx context.Context, s *scene.Scene, since string) (names []string) {
	GinkgoHelper()
	second := int64(1)
	events, err := s.API.CoreV1().Pods(s.Namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: since, TimeoutSeconds: &second})
	Expect(err).NotTo(HaveOccurred())
	defer events.Stop()
	for e := range events.ResultChan() {
		Expect(e.Type).NotTo(Equal(watch.Error), "%v", e.Object)
		if pod, ok := e.Object.(*corev1.Pod); ok && e.Type == watch.Added {
			names = append(names, pod.Name)
		}
	}
	return names
}
