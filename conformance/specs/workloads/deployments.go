package workloads

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// retemplate changes the pod template, which starts a rollout.
func retemplate(ctx context.Context, s *scene.Scene, name, value string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"echo","env":[{"name":"VERSION","value":%q}]}]}}}}`, value)
	_, err := s.API.AppsV1().Deployments(s.Namespace).Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
}

func declareDeployments() {
	It("runs a Deployment's pods and reports them", Label("WORK-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		d := s.Deploy(ctx, s.Deployment("web", 3))
		Expect(s.PodsOf(ctx, "web")).To(HaveLen(3))
		Expect(d.Status.ReadyReplicas).To(BeEquivalentTo(3))
		Expect(available(d)).To(Equal(corev1.ConditionTrue))
		s.Scale(ctx, "web", 1)
		s.WaitRolledOut(ctx, "web")
		Expect(s.PodsOf(ctx, "web")).To(HaveLen(1))
	})

	It("replaces pods by a rolling update that keeps within its bounds", Label("WORK-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		d := s.Deployment("web", 3)
		none, one := intstr.FromInt32(0), intstr.FromInt32(1)
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &one}}
		s.Deploy(ctx, d)
		before := uids(s.PodsOf(ctx, "web"))
		b := &bounds{least: 3, most: 4}
		b.follow(ctx, s, "web")
		retemplate(ctx, s, "web", "2")
		s.WaitRolledOut(ctx, "web")
		b.judge(ctx)
		after := uids(s.PodsOf(ctx, "web"))
		Expect(after).To(HaveLen(3))
		Expect(left(after, before)).To(BeEmpty(), "pods that were not replaced")
	})

	It("returns to an earlier template by its old ReplicaSet", Label("WORK-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		s.Deploy(ctx, s.Deployment("web", 1))
		retemplate(ctx, s, "web", "1")
		s.WaitRolledOut(ctx, "web")
		first := currentSet(ctx, s)
		retemplate(ctx, s, "web", "2")
		s.WaitRolledOut(ctx, "web")
		Expect(currentSet(ctx, s).Name).NotTo(Equal(first.Name))
		retemplate(ctx, s, "web", "1")
		s.WaitRolledOut(ctx, "web")
		back := currentSet(ctx, s)
		Expect(back.UID).To(Equal(first.UID))
		Expect(back.Annotations).To(HaveKeyWithValue("deployment.kubernetes.io/revision", "4"))
	})
}

func available(d *appsv1.Deployment) corev1.ConditionStatus {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// currentSet is the ReplicaSet that has pods.
func currentSet(ctx context.Context, s *scene.Scene) *appsv1.ReplicaSet {
	GinkgoHelper()
	sets, err := s.API.AppsV1().ReplicaSets(s.Namespace).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	for i := range sets.Items {
		if *sets.Items[i].Spec.Replicas > 0 {
			return &sets.Items[i]
		}
	}
	Fail("no ReplicaSet wants pods")
	return nil
}

func uids(pods []corev1.Pod) []types.UID {
	var all []types.UID
	for _, p := range pods {
		all = append(all, p.UID)
	}
	return all
}
