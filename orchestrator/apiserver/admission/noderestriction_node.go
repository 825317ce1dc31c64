package admission

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

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

// restrictNode keeps a kubelet to its own Node, and away from what would steer pods to it: taints, owners, and labels that are not a kubelet's.
func restrictNode(node string, a *Attributes) error {
	if a.Name != node {
		return refuse(a, "node %q is not allowed to modify node %q", node, a.Name)
	}
	wanted, ok := a.Object.(*corev1.Node)
	if !ok {
		return nil
	}
	old, _ := a.Old.(*corev1.Node)
	if a.Operation == Create || old == nil {
		if wanted.Spec.ConfigSource != nil {
			return refuse(a, "node %q is not allowed to create pods with a non-nil configSource", node)
		}
		if keys := forbiddenLabels(wanted.Labels, nil); len(keys) > 0 {
			return refuse(a, "node %q is not allowed to set the following labels: %s", node, strings.Join(keys, ", "))
		}
		return nil
	}
	return changesOfNode(node, a, wanted, old)
}

func changesOfNode(node string, a *Attributes, wanted, old *corev1.Node) error {
	switch {
	case wanted.Spec.ConfigSource != nil && !equality.Semantic.DeepEqual(wanted.Spec.ConfigSource, old.Spec.ConfigSource):
		return refuse(a, "node %q is not allowed to update configSource to a new non-nil configSource", node)
	case !equality.Semantic.DeepEqual(wanted.Spec.Taints, old.Spec.Taints):
		return refuse(a, "node %q is not allowed to modify taints", node)
	case !equality.Semantic.DeepEqual(wanted.OwnerReferences, old.OwnerReferences):
		return refuse(a, "node %q is not allowed to modify ownerReferences", node)
	}
	if keys := forbiddenLabels(wanted.Labels, old.Labels); len(keys) > 0 {
		return refuse(a, "is not allowed to modify labels: %s", strings.Join(keys, ", "))
	}
	return nil
}

// forbiddenLabels are the changed ones that a kubelet may not touch, sorted.
func forbiddenLabels(wanted, before map[string]string) []string {
	var keys []string
	check := func(a, b map[string]string) {
		for key, value := range a {
			if was, ok := b[key]; (!ok || was != value) && forbiddenLabel(key) {
				keys = append(keys, key)
			}
		}
	}
	check(wanted, before)
	check(before, wanted)
	slices.Sort(keys)
	return slices.Compact(keys)
}

func forbiddenLabel(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	if found && (domain == corev1.LabelNamespaceNodeRestriction || strings.HasSuffix(domain, "."+corev1.LabelNamespaceNodeRestriction)) {
		return true
	}
	return kubernetesLabel(key) && !kubeletLabel(key)
}

// restrictClaim lets a kubelet report the capacity of a claim, and nothing else.
func restrictClaim(node string, a *Attributes) error {
	if a.Subresource != "status" {
		return refuse(a, "may only update PVC status")
	}
	old, isOld := a.Old.(*corev1.PersistentVolumeClaim)
	wanted, isNew := a.Object.(*corev1.PersistentVolumeClaim)
	if a.Operation != Update || !isOld || !isNew {
		return refuse(a, "unexpected operation %q", a.Operation)
	}
	if !equality.Semantic.DeepEqual(withoutCapacity(old), withoutCapacity(wanted)) {
		return refuse(a, "node %q is not allowed to update fields other than status.quantity and status.conditions", node)
	}
	return nil
}

func withoutCapacity(c *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	rest := c.DeepCopy()
	rest.ResourceVersion, rest.ManagedFields = "", nil
	rest.Status.Capacity, rest.Status.Conditions, rest.Status.AllocatedResources, rest.Status.AllocatedResourceStatuses = nil, nil, nil, nil
	return rest
}
