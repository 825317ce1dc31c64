package api

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareObjects() {
	It("returns created objects from get and list exactly as acknowledged", Label("API-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, name := range []string{"one", "two"} {
			sent := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": name}}
			acknowledged, err := s.API.CoreV1().ConfigMaps(s.Namespace).Create(ctx, sent, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
			Expect(acknowledged.Data).To(Equal(sent.Data))
			read, err := s.API.CoreV1().ConfigMaps(s.Namespace).Get(ctx, name, metav1.GetOptions{})
			Expect(err).NotTo(HaveOccurred())
			Expect(read).To(Equal(acknowledged))
			list, err := s.API.CoreV1().ConfigMaps(s.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
			Expect(err).NotTo(HaveOccurred())
			Expect(list.Items).To(ConsistOf(*acknowledged))
		}
	})
}
