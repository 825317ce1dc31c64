package authz

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Node allows a kubelet what the pods on its node need, and no more. It never denies: RBAC may still allow.
type Node struct {
	reader objects.Reader
}

// NewNode finds what pods need among the pods of the node, by reading them from the cache.
func NewNode(reader objects.Reader) *Node { return &Node{reader: reader} }

// nodeRules are what every kubelet may do, whatever runs on its node: stock's system:node role without the parts that depend on pods.
var nodeRules = []struct{ group, resource, subresource, verbs string }{
	{"authentication.k8s.io", "tokenreviews", "", "create"},
	{"authorization.k8s.io", "subjectaccessreviews", "", "create"},
	{"authorization.k8s.io", "localsubjectaccessreviews", "", "create"},
	{"", "services", "", "get list watch"},
	{"", "nodes", "", "create get list watch update patch"},
	{"", "nodes", "status", "update patch"},
	{"", "events", "", "create update patch"},
	{"events.k8s.io", "events", "", "create update patch"},
	{"", "pods", "", "get list watch create delete"},
	{"", "pods", "status", "update patch"},
	{"", "pods", "eviction", "create"},
	{"certificates.k8s.io", "certificatesigningrequests", "", "create get list watch"},
	{"certificates.k8s.io", "clustertrustbundles", "", "get list watch"},
	{"storage.k8s.io", "csidrivers", "", "get list watch"},
	{"node.k8s.io", "runtimeclasses", "", "get list watch"},
}

// NodeName of a kubelet's user; ok is false for everyone else.
func NodeName(user *request.User) (name string, ok bool) {
	name, ok = strings.CutPrefix(user.Name, request.NodeUserPrefix)
	return name, ok && name != "" && user.InGroup(request.NodesGroup)
}

// Authorize implements Authorizer.
func (n *Node) Authorize(ctx context.Context, a *Attributes) (Decision, string, error) {
	name, ok := NodeName(a.User)
	if !ok {
		return NoOpinion, "", nil
	}
	if a.IsResource {
		switch (schema.GroupResource{Group: a.Group, Resource: a.Resource}).String() {
		case "secrets", "configmaps":
			return n.readNamed(ctx, name, a, podUses(a.Resource))
		case "persistentvolumeclaims":
			return n.claim(ctx, name, a)
		case "persistentvolumes":
			return n.readNamed(ctx, name, a, n.mounts(ctx))
		case "resourceclaims.resource.k8s.io":
			return n.readNamed(ctx, name, a, podClaims)
		case "resourceslices.resource.k8s.io":
			return n.slice(name, a)
		case "volumeattachments.storage.k8s.io":
			return n.attachment(ctx, name, a)
		case "serviceaccounts":
			return n.serviceAccount(ctx, name, a)
		case "leases.coordination.k8s.io":
			return n.lease(name, a)
		case "csinodes.storage.k8s.io":
			return n.own(name, a, "CSINodes", "get create update patch delete")
		case "pods":
			return n.pod(ctx, name, a)
		case "nodes":
			return n.node(name, a)
		}
	}
	return general(a), "", nil
}

// general judges by nodeRules alone.
func general(a *Attributes) Decision {
	for _, r := range nodeRules {
		if a.IsResource && r.group == a.Group && r.resource == a.Resource && r.subresource == a.Subresource && verbIn(r.verbs, a.Verb) {
			return Allow
		}
	}
	return NoOpinion
}

func verbIn(verbs, verb string) bool { return slices.Contains(strings.Fields(verbs), verb) }

// need tells whether a pod needs the named object.
type need func(pod *corev1.Pod, name string) bool

func noRelation(node string) string {
	return fmt.Sprintf("no relationship found between node '%s' and this object", node)
}

// readNamed allows to read one named object that a pod of the node needs.
func (n *Node) readNamed(ctx context.Context, node string, a *Attributes, needs need) (Decision, string, error) {
	if a.Subresource != "" {
		return NoOpinion, "cannot read subresource", nil
	}
	if !verbIn("get list watch", a.Verb) {
		return NoOpinion, "can only read resources of this type", nil
	}
	return n.related(ctx, node, a, needs)
}

func (n *Node) related(ctx context.Context, node string, a *Attributes, needs need) (Decision, string, error) {
	if a.Name == "" {
		return NoOpinion, "No Object name found", nil
	}
	ok, err := n.anyPod(ctx, node, a.Namespace, func(p *corev1.Pod) bool { return needs(p, a.Name) })
	if err != nil {
		return NoOpinion, "", err
	}
	if ok {
		return Allow, "", nil
	}
	return NoOpinion, noRelation(node), nil
}

// anyPod looks for a pod of the node.
func (n *Node) anyPod(ctx context.Context, node, namespace string, match func(*corev1.Pod) bool) (bool, error) {
	pods, err := n.reader.List(ctx, schema.GroupResource{Resource: "pods"}, namespace, nil)
	if err != nil {
		return false, err
	}
	for _, obj := range pods {
		if pod, ok := obj.(*corev1.Pod); ok && pod.Spec.NodeName == node && match(pod) {
			return true, nil
		}
	}
	return false, nil
}

// claim: PVCs that a pod mounts may be read, and their status changed (expansion).
func (n *Node) claim(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	if a.Subresource == "status" && verbIn("update patch", a.Verb) {
		return n.related(ctx, node, a, podClaimsVolume)
	}
	return n.readNamed(ctx, node, a, podClaimsVolume)
}

// mounts: a PersistentVolume is needed by the pods that mount the claim it is bound to.
func (n *Node) mounts(ctx context.Context) need {
	return func(pod *corev1.Pod, volume string) bool {
		obj, err := n.reader.Get(ctx, schema.GroupResource{Resource: "persistentvolumes"}, "", volume)
		if err != nil {
			return false
		}
		pv, ok := obj.(*corev1.PersistentVolume)
		return ok && pv.Spec.ClaimRef != nil && pv.Spec.ClaimRef.Namespace == pod.Namespace && podClaimsVolume(pod, pv.Spec.ClaimRef.Name)
	}
}

func (n *Node) attachment(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	if a.Verb != "get" || a.Subresource != "" || a.Name == "" {
		return NoOpinion, "can only get individual resources of this type", nil
	}
	obj, err := n.reader.Get(ctx, schema.GroupResource{Group: storagev1.GroupName, Resource: "volumeattachments"}, "", a.Name)
	if err == nil {
		if va, ok := obj.(*storagev1.VolumeAttachment); ok && va.Spec.NodeName == node {
			return Allow, "", nil
		}
	}
	return NoOpinion, noRelation(node), nil
}

// slice: a node manages the ResourceSlices of its own name; lists and watches must be narrowed to them.
func (n *Node) slice(node string, a *Attributes) (Decision, string, error) {
	switch a.Verb {
	case "get", "create", "update", "patch", "delete":
		return Allow, "", nil // NodeRestriction compares spec.nodeName
	case "list", "watch", "deletecollection":
		if exactly(a, "spec.nodeName", node) {
			return Allow, "", nil
		}
		return NoOpinion, "can only list/watch/deletecollection resourceslices with nodeName field selector", nil
	}
	return NoOpinion, "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection", nil
}

func exactly(a *Attributes, field, value string) bool {
	if a.FieldSelector == nil {
		return false
	}
	got, ok := a.FieldSelector.RequiresExactMatch(field)
	return ok && got == value
}

func (n *Node) serviceAccount(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	uses := func(p *corev1.Pod, name string) bool { return p.Spec.ServiceAccountName == name }
	if a.Subresource == "token" && a.Verb == "create" {
		return n.related(ctx, node, a, uses)
	}
	if a.Subresource == "" && a.Verb == "get" {
		return n.related(ctx, node, a, uses)
	}
	return NoOpinion, "can only get individual resources of this type", nil
}

func (n *Node) lease(node string, a *Attributes) (Decision, string, error) {
	if a.Namespace != corev1.NamespaceNodeLease {
		return NoOpinion, fmt.Sprintf("can only access leases in the %q system namespace", corev1.NamespaceNodeLease), nil
	}
	if !verbIn("get create update patch delete", a.Verb) {
		return NoOpinion, "can only get, create, update, patch, or delete a node lease", nil
	}
	return n.own(node, a, "node lease", "get create update patch delete")
}

// own allows the verbs on the one object that is called like the node. A create has no name yet: NodeRestriction looks at the body.
func (n *Node) own(node string, a *Attributes, called, verbs string) (Decision, string, error) {
	if !verbIn(verbs, a.Verb) || a.Subresource != "" {
		return NoOpinion, fmt.Sprintf("can only %s a %s", strings.ReplaceAll(verbs, " ", ", "), called), nil
	}
	if a.Verb != "create" && a.Name != node {
		return NoOpinion, fmt.Sprintf("can only access %s with the same name as the requesting node", called), nil
	}
	return Allow, "", nil
}

// pod: a kubelet reads its own pods, and lists and watches must be narrowed to them.
func (n *Node) pod(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case a.Verb == "list" || a.Verb == "watch":
		if exactly(a, "spec.nodeName", node) {
			return general(a), "", nil
		}
		return NoOpinion, "can only list/watch pods with spec.nodeName field selector", nil
	case a.Verb == "get" && a.Subresource == "":
		return n.related(ctx, node, a, func(p *corev1.Pod, name string) bool { return p.Name == name })
	}
	return general(a), "", nil
}

// node: a kubelet reads its own Node only.
func (n *Node) node(node string, a *Attributes) (Decision, string, error) {
	switch a.Verb {
	case "get", "update", "patch":
		if a.Name != node {
			return NoOpinion, fmt.Sprintf("node '%s' cannot %s '%s', only its own Node object", node, verbPhrase(a.Verb), a.Name), nil
		}
	case "list", "watch":
		if a.Name != node && !exactly(a, "metadata.name", node) {
			return NoOpinion, fmt.Sprintf("node '%s' cannot read all nodes, only its own Node object", node), nil
		}
	}
	return general(a), "", nil
}

func verbPhrase(verb string) string {
	if verb == "get" {
		return "read"
	}
	return verb
}
