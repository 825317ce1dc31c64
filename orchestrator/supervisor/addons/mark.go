package addons

import (
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/roster"
)

// markPatch is the merge patch that gives a node its marks; nil when it has them. A control plane that bears the label was marked before:
// its taint is not put back, because people take it away to use control planes as workers.
func markPatch(n description.Node, node registered) api.Object {
	labels := api.Object{}
	for name, value := range n.Labels {
		if node.Metadata.Labels[name] != value {
			labels[name] = value
		}
	}
	patch := api.Object{}
	if _, marked := node.Metadata.Labels[roster.ControlPlaneLabel]; n.Role == description.ControlPlane && !marked {
		labels[roster.ControlPlaneLabel] = ""
		if !tainted(node.Spec.Taints) {
			taint := map[string]any{"key": roster.ControlPlaneLabel, "effect": "NoSchedule"}
			patch["spec"] = api.Object{"taints": append(slices.Clone(node.Spec.Taints), taint)}
		}
	}
	if len(labels) == 0 && patch["spec"] == nil {
		return nil
	}
	// The version makes a patch of a list, which replaces the whole of it, fail when someone else changed the node meanwhile.
	patch["metadata"] = api.Object{"labels": labels, "resourceVersion": node.Metadata.ResourceVersion}
	return patch
}

func tainted(taints []map[string]any) bool {
	return slices.ContainsFunc(taints, func(t map[string]any) bool {
		return t["key"] == roster.ControlPlaneLabel && t["effect"] == "NoSchedule"
	})
}
