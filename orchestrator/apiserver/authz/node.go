package authz

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Node allows a kubelet what the pods on its node need, and no more. It never denies: RBAC may still allow.
type Node struct {
	reader objects.Reader
}

// NewNode finds what pods need among the pods of the node, which the cache knows by an index.
func NewNode(reader objects.Reader) *Node { return &Node{reader: reader} }

// nodeRules are what every kubelet may do, whatever runs on its node: stock's system:node role without the parts that depend on pods.
var nodeRules = []struct{ group, resource, subresource, verbs string }{
	{"authentication.k8s.io", "tokenreviews", "", "create"},
	{"authorization.k8s.io", "subjectaccessreviews", "", "create"},
	{"authorization.k8s.io", "localsubjectaccessreviews", "", "create"},
	{"", "services", "", "get list watch"},
	{"", "endpoints", "", "get"},
	{"", "events", "", "create update patch"},
	{"events.k8s.io", "events", "", "create update patch"},
	{"certificates.k8s.io", "certificatesigningrequests", "", "create get list watch"},
	{"certificates.k8s.io", "clustertrustbundles", "", "get list watch"},
	{"storage.k8s.io", "csidrivers", "", "get list watch"},
	{"node.k8s.io", "runtimeclasses", "", "get list watch"},
}

// NodeName of a kubelet's user; ok is false for everyone else. The name is empty when the group says node, and the user says nothing.
func NodeName(user *request.User) (name string, ok bool) {
	name, ok = strings.CutPrefix(user.Name, request.NodeUserPrefix)
	return name, ok && user.InGroup(request.NodesGroup)
}

// Authorize implements Authorizer.
func (n *Node) Authorize(ctx context.Context, a *Attributes) (Decision, string, error) {
	name, ok := NodeName(a.User)
	if !ok {
		return NoOpinion, "", nil
	}
	if name == "" {
		return NoOpinion, fmt.Sprintf("unknown node for user %q", a.User.Name), nil
	}
	if !a.IsResource {
		return NoOpinion, "", nil
	}
	if judge := n.judgeOf(schema.GroupResource{Group: a.Group, Resource: a.Resource}); judge != nil {
		return judge(ctx, name, a)
	}
	return general(a), "", nil
}

// judge decides about one resource; name is the node's.
type judge func(ctx context.Context, name string, a *Attributes) (Decision, string, error)

// judgeOf is the judge of a resource that depends on the node; nil for those that all nodes may use alike.
func (n *Node) judgeOf(gr schema.GroupResource) judge {
	switch gr.String() {
	case "secrets":
		return n.reads(n.usesSecret)
	case "configmaps":
		return n.reads(n.usesConfigMap)
	case "persistentvolumeclaims":
		return n.claim
	case "persistentvolumes":
		return n.gets(n.usesVolume)
	case "resourceclaims.resource.k8s.io":
		return n.gets(n.usesResourceClaim)
	case "volumeattachments.storage.k8s.io":
		return n.gets(n.isAttachedBy)
	case "serviceaccounts":
		return n.serviceAccount
	case "leases.coordination.k8s.io":
		return n.lease
	case "csinodes.storage.k8s.io":
		return n.csiNode
	case "resourceslices.resource.k8s.io":
		return n.slice
	case "nodes":
		return n.node
	case "pods":
		return n.pod
	}
	return nil
}

// general judges by nodeRules alone.
func general(a *Attributes) Decision {
	for _, r := range nodeRules {
		if r.group == a.Group && r.resource == a.Resource && r.subresource == a.Subresource && verbIn(r.verbs, a.Verb) {
			return Allow
		}
	}
	return NoOpinion
}

func verbIn(verbs, verb string) bool { return slices.Contains(strings.Fields(verbs), verb) }

// exactly: the request is narrowed to objects with the value in the field.
func exactly(a *Attributes, field, value string) bool {
	if a.FieldSelector == nil {
		return false
	}
	got, ok := a.FieldSelector.RequiresExactMatch(field)
	return ok && got == value
}

// slice: a node manages the ResourceSlices of its own name; lists and watches must be narrowed to them.
func (n *Node) slice(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	if a.Subresource != "" {
		return NoOpinion, "cannot authorize ResourceSlice subresources", nil
	}
	switch a.Verb {
	case "create":
		return Allow, "", nil // NodeRestriction compares spec.nodeName
	case "get", "update", "patch", "delete":
		return n.related(ctx, node, a, n.isSliceOf)
	case "list", "watch", "deletecollection":
		if exactly(a, "spec.nodeName", node) {
			return Allow, "", nil
		}
		return NoOpinion, "can only list/watch/deletecollection resourceslices with nodeName field selector", nil
	}
	return NoOpinion, "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection", nil
}

func (n *Node) lease(_ context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case !verbIn("get create update patch delete", a.Verb):
		return NoOpinion, "can only get, create, update, patch, or delete a node lease", nil
	case a.Namespace != corev1.NamespaceNodeLease:
		return NoOpinion, fmt.Sprintf("can only access leases in the %q system namespace", corev1.NamespaceNodeLease), nil
	case a.Verb != "create" && a.Name != node: // a create has no name yet: NodeRestriction looks at the body
		return NoOpinion, "can only access node lease with the same name as the requesting node", nil
	}
	return Allow, "", nil
}

func (n *Node) csiNode(_ context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case a.Subresource == "status":
		return NoOpinion, "CSINode status access requires CSIVolumeHealth feature", nil
	case a.Subresource != "":
		return NoOpinion, "cannot authorize CSINode subresources", nil
	case !verbIn("get create update patch delete", a.Verb):
		return NoOpinion, "can only get, create, update, patch, or delete a CSINode", nil
	case a.Verb != "create" && a.Name != node:
		return NoOpinion, "can only access CSINode with the same name as the requesting node", nil
	}
	return Allow, "", nil
}

// pod: a kubelet reads its own pods, and lists and watches must be narrowed to them. NodeRestriction looks at what it writes.
func (n *Node) pod(ctx context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case a.Subresource == "" && a.Verb == "get":
		return n.related(ctx, node, a, n.isPodOf)
	case a.Subresource == "" && verbIn("list watch", a.Verb):
		if exactly(a, "spec.nodeName", node) {
			return Allow, "", nil
		}
		if a.Name != "" {
			return n.related(ctx, node, a, n.isPodOf)
		}
		return NoOpinion, "can only list/watch pods with spec.nodeName field selector", nil
	case a.Subresource == "" && verbIn("create delete", a.Verb), a.Subresource == "status" && verbIn("update patch", a.Verb),
		a.Subresource == "eviction" && a.Verb == "create":
		return Allow, "", nil
	}
	return NoOpinion, "", nil
}

// node: a kubelet reads its own Node only, also before that exists. NodeRestriction looks at what it writes.
func (n *Node) node(_ context.Context, node string, a *Attributes) (Decision, string, error) {
	switch {
	case a.Subresource == "" && verbIn("create update patch", a.Verb), a.Subresource == "status" && verbIn("update patch", a.Verb):
		return Allow, "", nil
	case a.Subresource == "" && verbIn("get list watch", a.Verb):
		switch a.Name {
		case node:
			return Allow, "", nil
		case "":
			return NoOpinion, fmt.Sprintf("node '%s' cannot read all nodes, only its own Node object", node), nil
		}
		return NoOpinion, fmt.Sprintf("node '%s' cannot read '%s', only its own Node object", node, a.Name), nil
	}
	return NoOpinion, "", nil
}
