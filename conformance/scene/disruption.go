package scene

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Protect gives an app's pods a disruption budget of the app's name, of which so many must stay.
func (s *Scene) Protect(ctx context.Context, app string, stay int32) {
	ginkgo.GinkgoHelper()
	least := intstr.FromInt32(stay)
	_, err := s.API.PolicyV1().PodDisruptionBudgets(s.Namespace).Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: app},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &least, Selector: &metav1.LabelSelector{MatchLabels: App(app)}},
	}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "protect the pods of %s", app)
}

// Evict asks for a pod's eviction, and returns the apiserver's answer as it is.
func (s *Scene) Evict(ctx context.Context, pod string) error {
	return s.API.PolicyV1().Evictions(s.Namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: s.Namespace}})
}
