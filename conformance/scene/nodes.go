package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// Workers are the names of n nodes that pods may be placed on. Fewer than that is not the cluster's failure, but nothing can be witnessed. A node that
// is on its way back, as after a fault of the spec before, is waited for.
func (s *Scene) Workers(ctx context.Context, n int) (names []string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) error {
		nodes, err := s.API.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		var returning []string
		if names, returning = usable(nodes.Items); len(names) < n && len(returning) > 0 {
			return fmt.Errorf("nodes %v are on their way back", returning)
		}
		return nil
	}).WithTimeout(budget.NodeReturn.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	if len(names) < n {
		Inconclusive("this needs %d nodes without taints; there are %d", n, len(names))
	}
	return names[:n]
}

// usable are the names of the nodes that take any pod, and of those that only the node controller's taints still keep from it.
func usable(nodes []corev1.Node) (names, returning []string) {
	for _, node := range nodes {
		if node.Spec.Unschedulable {
			continue
		}
		held := slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool {
			return t.Key != corev1.TaintNodeNotReady && t.Key != corev1.TaintNodeUnreachable
		})
		switch {
		case len(node.Spec.Taints) == 0:
			names = append(names, node.Name)
		case !held:
			returning = append(returning, node.Name)
		}
	}
	return names, returning
}

// Mark is a key that only this spec uses: of node labels, taints and resources.
func (s *Scene) Mark() string { return "plumb.io/" + s.Namespace }

// LabelNode gives a node the spec's mark as a label, until the spec ends.
func (s *Scene) LabelNode(ctx context.Context, node, value string) {
	ginkgo.GinkgoHelper()
	s.patchNode(ctx, node, "", map[string]any{"metadata": map[string]any{"labels": map[string]any{s.Mark(): value}}})
	ginkgo.DeferCleanup(func(ctx context.Context) {
		s.patchNode(ctx, node, "", map[string]any{"metadata": map[string]any{"labels": map[string]any{s.Mark(): nil}}})
	})
}

// Marked selects the nodes that LabelNode gave a value.
func (s *Scene) Marked(value string) map[string]string { return map[string]string{s.Mark(): value} }

// AddResource gives a node n of a resource that only this spec's pods ask for, until the spec ends: scarce without starving anybody else.
func (s *Scene) AddResource(ctx context.Context, node string, n int) corev1.ResourceName {
	ginkgo.GinkgoHelper()
	set := func(ctx context.Context, resources map[string]any) {
		ginkgo.GinkgoHelper()
		s.patchNode(ctx, node, "status", map[string]any{"status": resources})
	}
	set(ctx, map[string]any{"capacity": map[string]any{s.Mark(): fmt.Sprint(n)}})
	ginkgo.DeferCleanup(func(ctx context.Context) {
		none := map[string]any{s.Mark(): nil}
		set(ctx, map[string]any{"capacity": none, "allocatable": none})
	})
	return corev1.ResourceName(s.Mark())
}

func (s *Scene) patchNode(ctx context.Context, node, subresource string, patch map[string]any) {
	ginkgo.GinkgoHelper()
	body, err := json.Marshal(patch)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = s.API.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, body, metav1.PatchOptions{}, subresource)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "patch node %s", node)
}

// TaintNode adds a taint with the spec's mark to a node, until the spec ends. Other specs' pods avoid the node meanwhile: the spec must be Serial.
func (s *Scene) TaintNode(ctx context.Context, node string, effect corev1.TaintEffect) corev1.Taint {
	ginkgo.GinkgoHelper()
	taint := corev1.Taint{Key: s.Mark(), Value: "yes", Effect: effect}
	s.patchTaints(ctx, node, func(all []corev1.Taint) []corev1.Taint { return append(all, taint) })
	ginkgo.DeferCleanup(s.UntaintNode, node)
	return taint
}

// UntaintNode removes the spec's taints from a node.
func (s *Scene) UntaintNode(ctx context.Context, node string) {
	ginkgo.GinkgoHelper()
	s.patchTaints(ctx, node, func(all []corev1.Taint) []corev1.Taint {
		var kept []corev1.Taint
		for _, t := range all {
			if t.Key != s.Mark() {
				kept = append(kept, t)
			}
		}
		return kept
	})
}

func (s *Scene) patchTaints(ctx context.Context, node string, alter func([]corev1.Taint) []corev1.Taint) {
	ginkgo.GinkgoHelper()
	nodes := s.API.CoreV1().Nodes()
	gomega.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		found, err := nodes.Get(ctx, node, metav1.GetOptions{})
		if err != nil {
			return err
		}
		found.Spec.Taints = alter(found.Spec.Taints)
		_, err = nodes.Update(ctx, found, metav1.UpdateOptions{})
		return err
	})).To(gomega.Succeed(), "taints of node %s", node)
}
