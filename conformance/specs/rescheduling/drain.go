package rescheduling

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Of four pods three must stay: the budget refuses a second eviction until the first pod has its successor.
const (
	drained   = 4
	mustServe = 3
)

func declareDrain() {
	It("moves the pods of a drained worker and keeps within their disruption budget", Serial, Label("RESCHED-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		workers := s.NodesOf(cluster.Worker, 2)
		everywhere := s.DaemonSet("everywhere")
		_, err := s.API.AppsV1().DaemonSets(s.Namespace).Create(ctx, everywhere, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		s.Deploy(ctx, s.Deployment("web", drained))
		node := busiest(s.PodsOf(ctx, "web"), workers)
		protect(ctx, s, drained, mustServe)
		cordon(ctx, s, node, true)
		DeferCleanup(func(ctx context.Context) { cordon(ctx, s, node, false) })
		low := watchAvailable(ctx, s)
		evicted, refused := drain(ctx, s, "web", node)
		s.WaitRolledOut(ctx, "web")
		low.judge(ctx, node, evicted, refused)
		Expect(uidsOn(s.PodsOf(ctx, "web"), node)).To(BeEmpty())
		Expect(uidsOn(s.PodsOf(ctx, "everywhere"), node)).To(HaveLen(1), "a drain leaves DaemonSets alone")
		cordon(ctx, s, node, false)
		s.Run(ctx, scene.On(node, s.Echo("after", nil)))
	})

	It("holds a drain back while a disruption budget allows no eviction, and lets it go on once it does", Serial, Label("RESCHED-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		workers := s.NodesOf(cluster.Worker, 2)
		s.Deploy(ctx, s.Deployment("web", mustServe))
		node := busiest(s.PodsOf(ctx, "web"), workers)
		protect(ctx, s, mustServe, mustServe)
		cordon(ctx, s, node, true)
		DeferCleanup(func(ctx context.Context) { cordon(ctx, s, node, false) })
		low := watchAvailable(ctx, s)
		before := s.PodsOf(ctx, "web")
		Consistently(ctx, func(ctx context.Context) error {
			for _, p := range onNode(s.PodsOf(ctx, "web"), node) {
				if err := s.Evict(ctx, p.Name); !apierrors.IsTooManyRequests(err) || !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
					return fmt.Errorf("the eviction of %s is not refused for its budget: %w", p.Name, orAllowed(err))
				}
			}
			return sameContainers(s.PodsOf(ctx, "web"), before)
		}).WithTimeout(budget.Quiet.Limit()).WithPolling(target.Poll).Should(Succeed())
		scene.Mark(verdict.Phase, "Deployment web", "one more pod: the budget may spare one")
		s.Scale(ctx, "web", drained)
		evicted, refused := drain(ctx, s, "web", node)
		s.WaitRolledOut(ctx, "web")
		low.judge(ctx, node, evicted, refused)
		Expect(onNode(s.PodsOf(ctx, "web"), node)).To(BeEmpty())
	})
}

func orAllowed(err error) error {
	if err == nil {
		return fmt.Errorf("it was allowed")
	}
	return err
}

// protect gives the Deployment's pods a budget of which so many must stay, and waits until it counts them.
func protect(ctx context.Context, s *scene.Scene, pods, stay int32) {
	GinkgoHelper()
	s.Protect(ctx, "web", stay)
	Eventually(ctx, func(ctx context.Context) ([]int32, error) {
		b, err := s.API.PolicyV1().PodDisruptionBudgets(s.Namespace).Get(ctx, "web", metav1.GetOptions{})
		return []int32{b.Status.CurrentHealthy, b.Status.DisruptionsAllowed}, err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal([]int32{pods, pods - stay}), "pods that the budget counts, and evictions that it allows")
}

func cordon(ctx context.Context, s *scene.Scene, node string, on bool) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"spec":{"unschedulable":%t}}`, on)
	_, err := s.API.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
}

// drain evicts a Deployment's pods from a node, as kubectl drain does: what a budget refuses is tried again.
func drain(ctx context.Context, s *scene.Scene, app, node string) (evicted, refused int) {
	GinkgoHelper()
	done := map[types.UID]bool{}
	Eventually(ctx, func(ctx context.Context) (int, error) {
		left := 0
		for _, p := range onNode(s.PodsOf(ctx, app), node) {
			if done[p.UID] {
				continue
			}
			err := s.Evict(ctx, p.Name)
			switch {
			case err == nil:
				done[p.UID] = true
				evicted++
			case apierrors.IsTooManyRequests(err):
				refused++
				left++
			case !apierrors.IsNotFound(err):
				return 0, err
			}
		}
		return left, nil
	}).WithTimeout(budget.Rollout.Limit()).WithPolling(target.Poll).Should(BeZero(), "pods that the budget keeps on %s", node)
	return evicted, refused
}

// lowest follows how few pods were Ready.
type lowest struct {
	pods  *scene.Following[*corev1.Pod]
	least int
}

// watchAvailable looks at every state of the Deployment's pods from now on.
func watchAvailable(ctx context.Context, s *scene.Scene) *lowest {
	GinkgoHelper()
	l := &lowest{least: drained}
	l.pods = s.FollowPods(ctx, "web", l.look)
	return l
}

func (l *lowest) look(pods []*corev1.Pod) {
	ready := 0
	for _, p := range pods {
		if p.DeletionTimestamp == nil && scene.IsReady(p) {
			ready++
		}
	}
	l.least = min(l.least, ready)
}

// judge ends it: so many pods must have been Ready in every state.
func (l *lowest) judge(ctx context.Context, node string, evicted, refused int) {
	GinkgoHelper()
	changes := l.pods.Stop(ctx)
	scene.Record("drained", "%d evicted from %s, %d evictions refused meanwhile, never fewer than %d pods Ready in %d states", evicted, node, refused, l.least, changes)
	Expect(changes).To(BeNumerically(">=", evicted), "changes of pods that were seen")
	Expect(l.least).To(BeNumerically(">=", mustServe), "the budget was broken")
}
