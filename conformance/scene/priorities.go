package scene

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PriorityClass makes a PriorityClass of the spec's own, until the spec ends, and returns its whole name.
func (s *Scene) PriorityClass(ctx context.Context, name string, value int32, alter ...func(*schedulingv1.PriorityClass)) string {
	ginkgo.GinkgoHelper()
	class := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace + "-" + name}, Value: value}
	for _, a := range alter {
		a(class)
	}
	classes := s.API.SchedulingV1().PriorityClasses()
	created, err := classes.Create(ctx, class, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create PriorityClass %s", class.Name)
	ginkgo.DeferCleanup(func(ctx context.Context) error { return classes.Delete(ctx, created.Name, metav1.DeleteOptions{}) })
	return created.Name
}

// NeverPreempts makes a class whose pods wait for room.
func NeverPreempts(class *schedulingv1.PriorityClass) {
	never := corev1.PreemptNever
	class.PreemptionPolicy = &never
}
