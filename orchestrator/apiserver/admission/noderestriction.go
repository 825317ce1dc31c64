package admission

import (
	"context"
	"maps"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// nodeRestriction keeps a kubelet to its own Node, Lease and pods, where authorization sees no bodies.
type nodeRestriction struct {
	onlyAdmits
	reader objects.Reader
}

func (*nodeRestriction) Name() string { return "NodeRestriction" }

func (*nodeRestriction) Handles(op Operation) bool {
	return op == Create || op == Update || op == Delete
}

func (n *nodeRestriction) Admit(ctx context.Context, a *Attributes) error {
	name, ok := strings.CutPrefix(a.User.Name, request.NodeUserPrefix)
	if !ok || !a.User.InGroup(request.NodesGroup) {
		return nil
	}
	switch a.Kind.GroupResource() {
	case schema.GroupResource{Resource: "pods"}:
		return n.pod(ctx, name, a)
	case schema.GroupResource{Resource: "nodes"}:
		return n.node(name, a)
	case schema.GroupResource{Group: coordinationv1.GroupName, Resource: "leases"}:
		if a.Namespace != corev1.NamespaceNodeLease {
			return refuse(a, "can only access leases in the %q system namespace", corev1.NamespaceNodeLease)
		}
		return sameName(a, name, "can only access node lease with the same name as the requesting node")
	case schema.GroupResource{Group: "storage.k8s.io", Resource: "csinodes"}:
		return sameName(a, name, "can only access CSINode with the same name as the requesting node")
	}
	return nil
}

func sameName(a *Attributes, node, otherwise string) error {
	if a.Name != node {
		return refuse(a, "%s", otherwise)
	}
	return nil
}

func (n *nodeRestriction) pod(ctx context.Context, node string, a *Attributes) error {
	if a.Subresource == "" && a.Operation == Create {
		return newMirror(node, a)
	}
	pod, ok := a.Old.(*corev1.Pod)
	if !ok {
		obj, err := freshly(ctx, n.reader, schema.GroupResource{Resource: "pods"}, a.Namespace, a.Name)
		if err != nil {
			return err
		}
		pod, ok = obj.(*corev1.Pod)
	}
	switch {
	case a.Subresource == "" && a.Operation == Delete, a.Subresource == "eviction", a.Subresource == "status":
		if !ok || pod.Spec.NodeName != node {
			return refuse(a, "node %q can only act on pods with spec.nodeName set to itself", node)
		}
		if updated, is := a.Object.(*corev1.Pod); is && a.Subresource == "status" && !maps.Equal(updated.Labels, pod.Labels) {
			return refuse(a, "node %q cannot update labels through pod status", node)
		}
		return nil
	}
	return refuse(a, "unexpected operation %q", a.Operation)
}

func newMirror(node string, a *Attributes) error {
	pod, ok := a.Object.(*corev1.Pod)
	if !ok {
		return refuse(a, "unexpected type %T", a.Object)
	}
	if !mirror(pod) {
		return refuse(a, "pod does not have %q annotation, node %q can only create mirror pods", corev1.MirrorPodAnnotationKey, node)
	}
	if pod.Spec.NodeName != node {
		return refuse(a, "node %q can only create pods with spec.nodeName set to itself", node)
	}
	if pod.Spec.ServiceAccountName != "" {
		return refuse(a, "node %q can not create pods that reference a service account", node)
	}
	return nil
}

// kubeletLabel knows the prefixes and names below kubernetes.io that a kubelet may set on its Node.
func kubeletLabel(key string) bool {
	switch key {
	case "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type", corev1.LabelArchStable, corev1.LabelOSStable, corev1.LabelHostname,
		corev1.LabelInstanceTypeStable, corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion:
		return true
	}
	domain, _, _ := strings.Cut(key, "/")
	for _, own := range []string{"kubelet.kubernetes.io", "node.kubernetes.io"} {
		if domain == own || strings.HasSuffix(domain, "."+own) {
			return true
		}
	}
	return false
}

func kubernetesLabel(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	if !found {
		return false
	}
	for _, d := range []string{"kubernetes.io", "k8s.io"} {
		if domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}

func (n *nodeRestriction) node(node string, a *Attributes) error {
	if a.Operation == Delete {
		return nil // authorization has refused it already
	}
	if a.Name != node {
		return refuse(a, "node %q is not allowed to modify node %q", node, a.Name)
	}
	wanted, ok := a.Object.(*corev1.Node)
	if !ok {
		return nil
	}
	before := map[string]string{}
	if old, ok := a.Old.(*corev1.Node); ok && a.Operation == Update {
		before = old.Labels
		if !sameTaints(old, wanted) {
			return refuse(a, "node %q is not allowed to modify taints", node)
		}
	}
	if wanted.Spec.ConfigSource != nil && a.Operation == Create {
		return refuse(a, "node %q is not allowed to create pods with a non-nil configSource", node)
	}
	for key := range union(before, wanted.Labels) {
		if kubernetesLabel(key) && !kubeletLabel(key) && before[key] != wanted.Labels[key] {
			return refuse(a, "is not allowed to modify labels: %s", key)
		}
	}
	return nil
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}

func sameTaints(a, b *corev1.Node) bool {
	if len(a.Spec.Taints) != len(b.Spec.Taints) {
		return false
	}
	for i := range a.Spec.Taints {
		if x, y := a.Spec.Taints[i], b.Spec.Taints[i]; x.Key != y.Key || x.Value != y.Value || x.Effect != y.Effect {
			return false
		}
	}
	return true
}
