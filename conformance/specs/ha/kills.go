package ha

import (
	"context"
	"fmt"
	"slices"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// writesBefore is how many writes must be acknowledged before a fault, so that losing one would show.
const writesBefore = 200

func declareKills() {
	for i, component := range []string{"etcd", "kube-apiserver"} {
		It("finds every acknowledged write after "+component+" was killed", Serial, Label(fmt.Sprintf("HA-%03d", i+1)), func(ctx SpecContext) {
			s := scene.New(ctx)
			acknowledged := map[string]string{}
			for n := range writesBefore {
				write(ctx, s, acknowledged, n)
			}
			for _, node := range controlPlanes(s) {
				kill(ctx, s, node, component)
			}
			Eventually(ctx, func(ctx context.Context) error {
				_, err := s.API.CoreV1().ConfigMaps(s.Namespace).Get(ctx, name(0), metav1.GetOptions{})
				return err
			}).WithTimeout(target.PodStart).WithPolling(target.Poll).Should(Succeed(), "the API answers again")
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

func controlPlanes(s *scene.Scene) []string {
	if s.Cluster.Control() == nil {
		scene.Inconclusive("this profile needs control over the nodes")
	}
	var names []string
	for _, n := range s.Cluster.Nodes() {
		if n.Role == cluster.ControlPlane {
			names = append(names, n.Name)
		}
	}
	return names
}

// kill sends SIGKILL to a component and witnesses that its process is gone and another one there.
func kill(ctx context.Context, s *scene.Scene, node, component string) {
	GinkgoHelper()
	control := s.Cluster.Control()
	killed, err := control.Signal(ctx, node, component, int(syscall.SIGKILL))
	Expect(err).NotTo(HaveOccurred())
	scene.Record("injected", "killed %s on %s: pids %v", component, node, killed)
	var after []int
	Eventually(ctx, func(ctx context.Context) bool {
		after, err = control.Processes(ctx, node, component)
		return err == nil && !slices.ContainsFunc(after, func(pid int) bool { return slices.Contains(killed, pid) })
	}).WithTimeout(target.Converge).WithPolling(target.Poll).Should(BeTrue(), "%s on %s was not restarted: %v", component, node, err)
	scene.Record("witnessed", "%s on %s runs again: pids %v", component, node, after)
}
