package admission

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// pod: a kubelet makes mirror pods, and deletes, evicts and reports on the pods of its node.
func (n *nodeRestriction) pod(ctx context.Context, node string, a *Attributes) error {
	switch {
	case a.Subresource == "" && a.Operation == Create:
		return n.newMirror(ctx, node, a)
	case a.Subresource == "" && a.Operation == Delete:
		return n.ownPod(ctx, node, a, "node %q can only delete pods with spec.nodeName set to itself")
	case a.Subresource == "":
		return refuse(a, "unexpected operation %q, node %q can only create and delete mirror pods", a.Operation, node)
	case a.Subresource == "eviction" && a.Operation == Create:
		return n.ownPod(ctx, node, a, "node %s can only evict pods with spec.nodeName set to itself")
	case a.Subresource == "eviction":
		return refuse(a, "unexpected operation %s", a.Operation)
	case a.Subresource == "status" && a.Operation == Update:
		return restrictPodStatus(node, a)
	case a.Subresource == "status":
		return refuse(a, "unexpected operation %q", a.Operation)
	}
	return refuse(a, "unexpected pod subresource %q, only 'status' and 'eviction' are allowed", a.Subresource)
}

func (n *nodeRestriction) ownPod(ctx context.Context, node string, a *Attributes, otherwise string) error {
	pod, err := n.podNamed(ctx, a, a.Name)
	if err != nil {
		return err
	}
	if pod.Spec.NodeName != node {
		return refuse(a, otherwise, node)
	}
	return nil
}

func restrictPodStatus(node string, a *Attributes) error {
	old, isOld := a.Old.(*corev1.Pod)
	wanted, isNew := a.Object.(*corev1.Pod)
	switch {
	case !isOld || !isNew:
		return refuse(a, "unexpected type %T", a.Object)
	case old.Spec.NodeName != node:
		return refuse(a, "node %q can only update pod status for pods with spec.nodeName set to itself", node)
	case !maps.Equal(old.Labels, wanted.Labels):
		return refuse(a, "node %q cannot update labels through pod status", node)
	case !equality.Semantic.DeepEqual(old.Status.ResourceClaimStatuses, wanted.Status.ResourceClaimStatuses):
		return refuse(a, "node %q cannot update resource claim statues", node) // stock's spelling
	case !equality.Semantic.DeepEqual(old.Status.ExtendedResourceClaimStatus, wanted.Status.ExtendedResourceClaimStatus):
		return refuse(a, "node %q cannot update extended resource claim status", node)
	}
	return nil
}

func (n *nodeRestriction) newMirror(ctx context.Context, node string, a *Attributes) error {
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
	if err := n.ownedByNode(ctx, node, a, pod); err != nil {
		return err
	}
	if what := authz.Refers(pod); what != "" {
		return refuse(a, "node %q can not create pods that reference %s", node, what)
	}
	return nil
}

// ownedByNode: the one owner of a mirror pod is the Node, as its controller.
func (n *nodeRestriction) ownedByNode(ctx context.Context, node string, a *Attributes, pod *corev1.Pod) error {
	if len(pod.OwnerReferences) > 1 {
		return refuse(a, "node %q can only create pods with a single owner reference set to itself", node)
	}
	if len(pod.OwnerReferences) == 0 {
		return refuse(a, "node %q can only create pods with an owner reference set to itself", node)
	}
	owner := pod.OwnerReferences[0]
	switch {
	case owner.APIVersion != "v1" || owner.Kind != "Node" || owner.Name != node:
		return refuse(a, "node %q can only create pods with an owner reference set to itself", node)
	case owner.Controller == nil || !*owner.Controller:
		return refuse(a, "node %q can only create pods with a controller owner reference set to itself", node)
	case owner.BlockOwnerDeletion != nil && *owner.BlockOwnerDeletion:
		return refuse(a, "node %q must not set blockOwnerDeletion on an owner reference", node)
	}
	obj, err := freshly(ctx, n.reader, schema.GroupResource{Resource: "nodes"}, "", node)
	if err != nil {
		return err
	}
	if owner.UID != obj.GetUID() {
		return refuse(a, "node %s UID mismatch: expected %s got %s", node, owner.UID, obj.GetUID())
	}
	return nil
}

// audience: at most one, which a projected token or a CSI driver of the pod asks for, or which RBAC grants the node.
func (n *nodeRestriction) audience(ctx context.Context, a *Attributes, pod *corev1.Pod, asked []string) error {
	if len(asked) > 1 {
		return refuse(a, "node may only request 0 or 1 audiences")
	}
	audience := ""
	if len(asked) == 1 {
		audience = asked[0]
	}
	for i := range pod.Spec.Volumes {
		if n.volumeAsks(ctx, pod, &pod.Spec.Volumes[i], audience) {
			return nil
		}
	}
	decision, _, err := n.authorizer.Authorize(ctx, &authz.Attributes{User: a.User, Info: request.Info{
		IsResource: true, Verb: "request-serviceaccounts-token-audience", Version: a.Version, Namespace: a.Namespace, Resource: audience, Name: a.Name,
	}})
	if decision == authz.Allow {
		return nil
	}
	if err != nil {
		return refuse(a, "error authorizing %s to request tokens for audience %q: %v", a.User.Name, audience, err)
	}
	return refuse(a, "%s is not authorized to request tokens for audience %q", a.User.Name, audience)
}

func (n *nodeRestriction) volumeAsks(ctx context.Context, pod *corev1.Pod, v *corev1.Volume, audience string) bool {
	if v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
		return s.ServiceAccountToken != nil && s.ServiceAccountToken.Audience == audience
	}) {
		return true
	}
	driver, err := n.driverOf(ctx, pod, v)
	if err != nil || driver == "" {
		return false
	}
	obj, err := n.reader.Get(ctx, schema.GroupResource{Group: storagev1.GroupName, Resource: "csidrivers"}, "", driver)
	csi, ok := obj.(*storagev1.CSIDriver)
	return err == nil && ok && slices.ContainsFunc(csi.Spec.TokenRequests, func(r storagev1.TokenRequest) bool { return r.Audience == audience })
}

// driverOf a volume, inline or behind a claim; empty for the volumes that no CSI driver makes.
func (n *nodeRestriction) driverOf(ctx context.Context, pod *corev1.Pod, v *corev1.Volume) (string, error) {
	if v.CSI != nil {
		return v.CSI.Driver, nil
	}
	name := authz.ClaimName(pod, v)
	if name == "" {
		return "", nil
	}
	obj, err := n.reader.Get(ctx, schema.GroupResource{Resource: "persistentvolumeclaims"}, pod.Namespace, name)
	claim, ok := obj.(*corev1.PersistentVolumeClaim)
	if err != nil || !ok {
		return "", fmt.Errorf("find claim %s of pod %s/%s: %w", name, pod.Namespace, pod.Name, err)
	}
	obj, err = n.reader.Get(ctx, schema.GroupResource{Resource: "persistentvolumes"}, "", claim.Spec.VolumeName)
	pv, ok := obj.(*corev1.PersistentVolume)
	if apierrors.IsNotFound(err) || !ok || pv.Spec.CSI == nil {
		return "", nil
	}
	return pv.Spec.CSI.Driver, err
}
