package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Workers are the names of n nodes that pods may be placed on. Fewer than that is not the cluster's failure, but nothing can be witnessed.
func (s *Scene) Workers(ctx context.Context, n int) []string {
	ginkgo.GinkgoHelper()
	nodes, err := s.API.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "list nodes")
	var names []string
	for _, node := range nodes.Items {
		if !node.Spec.Unschedulable && len(node.Spec.Taints) == 0 {
			names = append(names, node.Name)
		}
	}
	if len(names) < n {
		Inconclusive("this needs %d nodes without taints; there are %d", n, len(names))
	}
	return names[:n]
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
	path := "/status/capacity/" + strings.ReplaceAll(s.Mark(), "/", "~1")
	s.patchStatus(ctx, node, map[string]any{"op": "add", "path": path, "value": fmt.Sprint(n)})
	ginkgo.DeferCleanup(func(ctx context.Context) {
		s.patchStatus(ctx, node, map[string]any{"op": "remove", "path": path})
		allocatable := "/status/allocatable/" + strings.ReplaceAll(s.Mark(), "/", "~1")
		found, err := s.API.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
		gomega.Expect(err).NotTo(gomega.HaveOccurred(), "get node %s", node)
		if _, left := found.Status.Allocatable[corev1.ResourceName(s.Mark())]; left {
			s.patchStatus(ctx, node, map[string]any{"op": "remove", "path": allocatable})
		}
	})
	return corev1.ResourceName(s.Mark())
}

func (s *Scene) patchStatus(ctx context.Context, node string, operation map[string]any) {
	ginkgo.GinkgoHelper()
	body, err := json.Marshal([]any{operation})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = s.API.CoreV1().Nodes().Patch(ctx, node, types.JSONPatchType, body, metav1.PatchOptions{}, "status")
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "patch the status of node %s", node)
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
	found, err := s.API.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "get node %s", node)
	s.patchNode(ctx, node, "", map[string]any{
		"metadata": map[string]any{"resourceVersion": found.ResourceVersion}, "spec": map[string]any{"taints": alter(found.Spec.Taints)},
	})
}
