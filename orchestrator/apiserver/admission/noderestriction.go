package admission

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// nodeRestriction keeps a kubelet to its own Node, Lease and pods, where authorization sees no bodies.
type nodeRestriction struct {
	onlyAdmits
	reader     objects.Reader
	authorizer authz.Authorizer
}

func (*nodeRestriction) Name() string { return "NodeRestriction" }

func (*nodeRestriction) Handles(op Operation) bool {
	return op == Create || op == Update || op == Delete
}

func (n *nodeRestriction) Admit(ctx context.Context, a *Attributes) error {
	node, ok := authz.NodeName(a.User)
	if !ok {
		return nil
	}
	if node == "" {
		return refuse(a, "could not determine node from user %q", a.User.Name)
	}
	switch a.Kind.GroupResource() {
	case schema.GroupResource{Resource: "pods"}:
		return n.pod(ctx, node, a)
	case schema.GroupResource{Resource: "nodes"}:
		return restrictNode(node, a)
	case schema.GroupResource{Resource: "persistentvolumeclaims"}:
		return restrictClaim(node, a)
	case schema.GroupResource{Resource: "serviceaccounts"}:
		return n.token(ctx, node, a)
	case schema.GroupResource{Group: coordinationv1.GroupName, Resource: "leases"}:
		return restrictLease(node, a)
	case schema.GroupResource{Group: storagev1.GroupName, Resource: "csinodes"}:
		if a.Operation == Create && a.Name != node {
			return refuse(a, "can only access CSINode with the same name as the requesting node")
		}
	case schema.GroupResource{Group: resourcev1.GroupName, Resource: "resourceslices"}:
		return restrictSlice(node, a)
	}
	return nil
}

func restrictLease(node string, a *Attributes) error {
	if a.Namespace != corev1.NamespaceNodeLease {
		return refuse(a, "can only access leases in the %q system namespace", corev1.NamespaceNodeLease)
	}
	if a.Operation == Create && a.Name != node {
		return refuse(a, "can only access node lease with the same name as the requesting node")
	}
	return nil
}

// restrictSlice: a slice of a node names it. Updates cannot change the name, and authorization has seen that the old one is the node's own.
func restrictSlice(node string, a *Attributes) error {
	slice, ok := a.Object.(*resourcev1.ResourceSlice)
	if a.Operation != Create || !ok {
		return nil
	}
	if slice.Spec.NodeName == nil || *slice.Spec.NodeName != node {
		return refuse(a, "can only create ResourceSlice with the same NodeName as the requesting node")
	}
	return nil
}

// token: a kubelet asks for tokens of pods on its node only, for audiences that the pod or a grant names.
func (n *nodeRestriction) token(ctx context.Context, node string, a *Attributes) error {
	asked, ok := a.Object.(*authenticationv1.TokenRequest)
	if a.Operation != Create || a.Subresource != "token" || !ok {
		return nil
	}
	ref := asked.Spec.BoundObjectRef
	if ref == nil || ref.APIVersion != "v1" || ref.Kind != "Pod" || ref.Name == "" {
		return refuse(a, "node requested token not bound to a pod")
	}
	if ref.UID == "" {
		return refuse(a, "node requested token with a pod binding without a uid")
	}
	pod, err := n.podNamed(ctx, a, ref.Name)
	switch {
	case err != nil:
		return err
	case ref.UID != pod.UID:
		return refuse(a, "the UID in the bound object reference (%s) does not match the UID in record. The object might have been deleted and then recreated", ref.UID)
	case pod.Spec.NodeName != node:
		return refuse(a, "node requested token bound to a pod scheduled on a different node")
	}
	return n.audience(ctx, a, pod, asked.Spec.Audiences)
}

// podNamed reads a pod of the attempt's namespace.
func (n *nodeRestriction) podNamed(ctx context.Context, a *Attributes, name string) (*corev1.Pod, error) {
	obj, err := freshly(ctx, n.reader, schema.GroupResource{Resource: "pods"}, a.Namespace, name)
	if err != nil {
		return nil, err
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil, errWrongType
	}
	return pod, nil
}
