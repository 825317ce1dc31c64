package core

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var nodeDocs = map[string]string{
	"Status":            "The status of the node",
	"Roles":             "The roles of the node",
	"Version":           corev1.NodeSystemInfo{}.SwaggerDoc()["kubeletVersion"],
	"Internal-IP":       corev1.NodeStatus{}.SwaggerDoc()["addresses"],
	"External-IP":       corev1.NodeStatus{}.SwaggerDoc()["addresses"],
	"OS-Image":          corev1.NodeSystemInfo{}.SwaggerDoc()["osImage"],
	"Kernel-Version":    corev1.NodeSystemInfo{}.SwaggerDoc()["kernelVersion"],
	"Container-Runtime": corev1.NodeSystemInfo{}.SwaggerDoc()["containerRuntimeVersion"],
}

// Node is the catalogue entry of nodes, which are stored under their first name: minions.
func Node() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Kind: "Node", Resource: "nodes", Singular: "node", ShortNames: []string{"no"}},
		Versions: []kind.Version{kind.Served("v1", &corev1.Node{}, &corev1.NodeList{})},
		Storage:  kind.Stored("minions", corev1.SchemeGroupVersion, &corev1.Node{}),
		Columns: kind.Table("Name;Status;Roles;Age;Version;Internal-IP*;External-IP*;OS-Image*;Kernel-Version*;Container-Runtime*",
			nodeDocs),
		Cells: kind.Cells(nodeCells),
		Fields: kind.Fields(func(n *corev1.Node) fields.Set {
			return fields.Set{"spec.unschedulable": boolText(n.Spec.Unschedulable)}
		}),
		Rules: kind.Typed[*corev1.Node]{
			Normalise: normaliseNode,
			Default: func(n *corev1.Node) {
				// Allocatable is capacity until the kubelet says less.
				if n.Status.Allocatable == nil && len(n.Status.Capacity) > 0 {
					n.Status.Allocatable = n.Status.Capacity.DeepCopy()
				}
			},
			PrepareUpdate:       func(_ context.Context, n, old *corev1.Node) { n.Status = old.Status },
			ValidateCreate:      validateNode,
			ValidateUpdate:      validateNodeUpdate,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.Node]{
				PrepareUpdate:  func(_ context.Context, n, old *corev1.Node) { n.Spec = old.Spec },
				ValidateUpdate: validateNodeUpdate,
			}.Rules()),
			"proxy": kind.Connect(corev1.SchemeGroupVersion.WithKind("NodeProxyOptions"), proxied...),
		},
	}
}

// normaliseNode makes podCIDR and the first of podCIDRs agree; podCIDR wins. What once configured kubelets is kept no more.
func normaliseNode(n *corev1.Node) {
	s := &n.Spec
	s.ConfigSource, n.Status.Config = nil, nil
	switch {
	case s.PodCIDR == "" && len(s.PodCIDRs) > 0:
		s.PodCIDR = s.PodCIDRs[0]
	case s.PodCIDR != "" && (len(s.PodCIDRs) == 0 || s.PodCIDRs[0] != s.PodCIDR):
		s.PodCIDRs = []string{s.PodCIDR}
	}
}

func nodeCells(n *corev1.Node, now time.Time) []any {
	info := n.Status.NodeInfo
	return []any{
		n.Name, nodeStatus(n), nodeRoles(n), kind.Age(n, now), info.KubeletVersion,
		nodeAddress(n, corev1.NodeInternalIP), nodeAddress(n, corev1.NodeExternalIP),
		orUnknown(info.OSImage), kernel(info), orUnknown(info.ContainerRuntimeVersion),
	}
}

// kernel shows the architecture behind the version.
func kernel(info corev1.NodeSystemInfo) string {
	if info.KernelVersion != "" && info.Architecture != "" {
		return info.KernelVersion + " (" + info.Architecture + ")"
	}
	return orUnknown(info.KernelVersion)
}

func nodeStatus(n *corev1.Node) string {
	status := "Unknown"
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		status = "NotReady"
		if c.Status == corev1.ConditionTrue {
			status = "Ready"
		}
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	return status
}

func nodeRoles(n *corev1.Node) string {
	var roles []string
	for key, value := range n.Labels {
		if role, is := strings.CutPrefix(key, "node-role.kubernetes.io/"); is && role != "" {
			roles = append(roles, role)
		} else if key == "kubernetes.io/role" && value != "" {
			roles = append(roles, value)
		}
	}
	slices.Sort(roles)
	return orNone(strings.Join(slices.Compact(roles), ","))
}

func nodeAddress(n *corev1.Node, wanted corev1.NodeAddressType) string {
	for _, a := range n.Status.Addresses {
		if a.Type == wanted {
			return a.Address
		}
	}
	return none
}

// orUnknown is for what a node may not have told yet.
func orUnknown(s string) string {
	if s == "" {
		return "<unknown>"
	}
	return s
}
