package scheduling

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareGates() {
	It("does not place a pod before its last scheduling gate is removed", Label("SCHED-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Create(ctx, s.Idle("gated", gated("plumb.io/one", "plumb.io/two")))
		place(ctx, s, s.Idle("free"))
		waits := func() {
			Eventually(ctx, func(ctx context.Context) string {
				return scene.Condition(s.Pod(ctx, "gated"), corev1.PodScheduled).Reason
			}).
				WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Equal(corev1.PodReasonSchedulingGated))
			s.StaysUnplaced(ctx, "gated")
		}
		waits()
		Expect(setGates(ctx, s, "plumb.io/two")).To(Succeed())
		waits()
		Expect(apierrors.IsInvalid(setGates(ctx, s, "plumb.io/three"))).To(BeTrue(), "a gate was added to a pod that exists")
		Expect(setGates(ctx, s)).To(Succeed())
		s.WaitReady(ctx, "gated")
	})
}

func gates(names ...string) []corev1.PodSchedulingGate {
	all := []corev1.PodSchedulingGate{}
	for _, n := range names {
		all = append(all, corev1.PodSchedulingGate{Name: n})
	}
	return all
}

func gated(names ...string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.SchedulingGates = gates(names...) }
}

// setGates replaces the gates of the pod.
func setGates(ctx context.Context, s *scene.Scene, names ...string) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"schedulingGates": gates(names...)}})
	if err != nil {
		return err
	}
	_, err = s.API.CoreV1().Pods(s.Namespace).Patch(ctx, "gated", types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}
