// Package scene is the stage of one spec: a namespace of its own, what is created in it, and what is kept when the spec fails.
//
// Specs call New in their body; clean-up and the dump of objects and events are registered there and then.
package scene

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// Scene is one spec's namespace.
type Scene struct {
	*target.Target
	Namespace string
	// API is the client of the cluster under test.
	API kubernetes.Interface
}

// New makes a namespace and waits for its default ServiceAccount, without which no pod is admitted.
func New(ctx ginkgo.SpecContext) *Scene {
	t := target.Get()
	ns, err := t.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: fmt.Sprintf("plumb-%s-", t.Shard), Labels: stageLabels(idOf(ctx)),
	}}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create a namespace")
	s := &Scene{Target: t, Namespace: ns.Name, API: t.Client}
	ginkgo.DeferCleanup(s.remove)
	ginkgo.DeferCleanup(s.keepEvidence)
	ginkgo.DeferCleanup(s.keepImages)
	gomega.Eventually(ctx, func(ctx context.Context) error {
		_, err := s.API.CoreV1().ServiceAccounts(s.Namespace).Get(ctx, "default", metav1.GetOptions{})
		return err
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(gomega.Succeed(), "default ServiceAccount of %s", s.Namespace)
	return s
}

// stageLabels are those of a spec's namespace: whose it is, and that its pods may do what a hardened cluster forbids elsewhere - reach their node's
// folders, use its network and ports.
func stageLabels(id string) map[string]string {
	labels := map[string]string{"plumb.io/spec": id}
	for _, mode := range []string{"enforce", "audit", "warn"} {
		labels["pod-security.kubernetes.io/"+mode] = "privileged"
	}
	return labels
}

// idOf is the requirement ID among a spec's labels.
func idOf(ctx ginkgo.SpecContext) string {
	for _, l := range ctx.SpecReport().Labels() {
		if strings.Contains(l, "-") {
			return l
		}
	}
	return "none"
}

func (s *Scene) remove(ctx context.Context) {
	zero := int64(0)
	err := s.API.CoreV1().Namespaces().Delete(ctx, s.Namespace, metav1.DeleteOptions{GracePeriodSeconds: &zero})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "delete namespace %s", s.Namespace)
}

// Record keeps a line of evidence in the report.
func Record(name, format string, args ...any) {
	ginkgo.AddReportEntry(name, ginkgo.ReportEntryVisibilityFailureOrVerbose, fmt.Sprintf(format, args...))
}

// InconclusivePrefix begins the message of a spec whose witness was missing.
const InconclusivePrefix = "inconclusive: "

// Inconclusive ends a spec that could not witness what it needs: neither a pass nor the cluster's failure.
func Inconclusive(format string, args ...any) {
	ginkgo.Skip(InconclusivePrefix + fmt.Sprintf(format, args...))
}
