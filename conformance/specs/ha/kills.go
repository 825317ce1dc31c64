package ha

import (
	"context"
	"fmt"

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

func declareKills() {
	for i, component := range []string{"etcd", "kube-apiserver"} {
		It("finds every acknowledged write after "+component+" was killed", Serial, Label(fmt.Sprintf("HA-%03d", i+1)), func(ctx SpecContext) {
			s := scene.New(ctx)
			acknowledged := map[string]string{}
			for n := range writesBefore {
				write(ctx, s, acknowledged, n)
			}
			for _, node := range s.NodesOf(cluster.ControlPlane, 1) {
				killed := s.Break(ctx, fault.KillComponent(s.Control(), node, component))
				scene.Heal(ctx, killed)
			}
			Eventually(ctx, func(ctx context.Context) error {
				_, err := s.API.CoreV1().ConfigMaps(s.Namespace).Get(ctx, name(0), metav1.GetOptions{})
				return err
			}).WithTimeout(budget.Failover.Limit()).WithPolling(target.Poll).Should(Succeed(), "the API answers again")
			read := readAll(ctx, s)
			for name, value := range acknowledged {
				Expect(read).To(HaveKeyWithValue(name, value), "an acknowledged write is lost")
			}
			write(ctx, s, acknowledged, writesBefore)
		})
	}
}

func name(n int) string { return fmt.Sprintf("write-%03d", n) }

// write creates one ConfigMap and notes it once it is acknowledged.
func write(ctx context.Context, s *scene.Scene, acknowledged map[string]string, n int) {
	GinkgoHelper()
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name(n)}, Data: map[string]string{"n": fmt.Sprint(n)}}
	created, err := s.API.CoreV1().ConfigMaps(s.Namespace).Create(ctx, m, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	acknowledged[created.Name] = created.ResourceVersion
}

func readAll(ctx context.Context, s *scene.Scene) map[string]string {
	GinkgoHelper()
	list, err := s.API.CoreV1().ConfigMaps(s.Namespace).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	read := map[string]string{}
	for _, m := range list.Items {
		read[m.Name] = m.ResourceVersion
	}
	return read
}
