package rescheduling

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// How long two of the pods tolerate the taint. It is removed between the two.
const (
	briefly = 3
	longer  = 8
)

func declareTaints() {
	It("evicts pods from a node with a NoExecute taint when they no longer tolerate it, and not before", Serial, Label("RESCHED-010"), func(ctx SpecContext) {
		s := scene.New(ctx)
		node := s.NodesOf(cluster.Worker, 2)[0]
		for name, seconds := range map[string]*int64{"briefly": ptr(briefly), "longer": ptr(longer), "always": nil} {
			s.Create(ctx, scene.On(node, s.Idle(name, tolerating(s.Mark(), seconds))))
		}
		s.Create(ctx, scene.On(node, s.Idle("never")))
		for _, name := range []string{"briefly", "longer", "always", "never"} {
			s.WaitReady(ctx, name)
		}
		at := time.Now()
		s.TaintNode(ctx, node, corev1.TaintEffectNoExecute)
		scene.Mark(verdict.Phase, "node "+node, "it has the taint")
		evicted(ctx, s, "never", at)
		Expect(evicted(ctx, s, "briefly", at.Add(briefly*time.Second))).To(BeNumerically(">=", 0), "it was evicted before its toleration was over")
		s.UntaintNode(ctx, node)
		if removed := time.Since(at); removed >= longer*time.Second {
			scene.Inconclusive("the taint was removed only after %s, when nobody tolerated it any more", removed)
		}
		scene.Mark(verdict.Phase, "node "+node, "it has the taint no longer")
		stay := time.Until(at.Add(longer*time.Second)) + budget.Quiet.Limit()
		Consistently(ctx, func(ctx context.Context) []bool {
			return []bool{s.Pod(ctx, "longer").DeletionTimestamp == nil, s.Pod(ctx, "always").DeletionTimestamp == nil}
		}).WithTimeout(stay).WithPolling(target.Poll).Should(Equal([]bool{true, true}), "the pods that tolerated the taint are there")
	})
}

// evicted waits until a pod is told to end, for as long as the budget allows after due, and returns how long after due that was.
func evicted(ctx context.Context, s *scene.Scene, name string, due time.Time) time.Duration {
	GinkgoHelper()
	return scene.Within(ctx, budget.TaintObeyed, due, "pod "+name+" is evicted", func(ctx context.Context) error {
		return s.Ending(ctx, name)
	})
}

func tolerating(key string, seconds *int64) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Tolerations = append(spec.Tolerations, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: seconds,
		})
	}
}

func ptr(n int64) *int64 { return &n }
