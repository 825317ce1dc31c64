package podspec

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// deprecatedLabels of nodes, and what to say of them.
var deprecatedLabels = map[string]string{
	"beta.kubernetes.io/arch":                  `deprecated since v1.14; use "kubernetes.io/arch" instead`,
	"beta.kubernetes.io/os":                    `deprecated since v1.14; use "kubernetes.io/os" instead`,
	"failure-domain.beta.kubernetes.io/region": `deprecated since v1.17; use "topology.kubernetes.io/region" instead`,
	"failure-domain.beta.kubernetes.io/zone":   `deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
	"beta.kubernetes.io/instance-type":         `deprecated since v1.17; use "node.kubernetes.io/instance-type" instead`,
	"node-role.kubernetes.io/master":           `use "node-role.kubernetes.io/control-plane" instead`,
}

// DeprecatedLabel is what to say of a node's label that has another name now; empty for others.
func DeprecatedLabel(key string) string { return deprecatedLabels[key] }

// PodWarnings are about what is valid in a new pod and yet not what its author will have meant.
func PodWarnings(p *corev1.Pod) []string {
	all := nameWarnings(p.Name, "the Pod's hostname")
	return append(all, specWarnings(&p.ObjectMeta, &p.Spec, nil)...)
}

// TemplateWarnings are the same of a template, whose path it is.
func TemplateWarnings(template *corev1.PodTemplateSpec, path *field.Path) []string {
	return specWarnings(&template.ObjectMeta, &template.Spec, path)
}

// WorkloadNameWarnings are about the name of a workload whose pods have it in theirs.
func WorkloadNameWarnings(name string) []string { return nameWarnings(name, "Pod names and hostnames") }

// nameWarnings: what is a good name for an object may be none for a host.
func nameWarnings(name, use string) []string {
	faults := utilvalidation.IsDNS1123Label(name)
	if strings.Contains(name, ".") {
		faults = append([]string{"must not contain dots"}, utilvalidation.IsDNS1123Label(strings.ReplaceAll(name, ".", ""))...)
	}
	if len(faults) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("metadata.name: this is used in %s, which can result in surprising behavior; a DNS label is recommended: %v", use, faults)}
}

// specWarnings of a pod or of a template, whose path it is; nil for a pod. The order is stock's.
func specWarnings(meta *metav1.ObjectMeta, spec *corev1.PodSpec, path *field.Path) []string {
	metadata, at := path.Child("metadata"), path.Child("spec")
	all := placementWarnings(spec, at)
	if _, set := meta.Annotations["scheduler.alpha.kubernetes.io/critical-pod"]; set {
		all = append(all, fmt.Sprintf(`%s: non-functional in v1.16+; use the "priorityClassName" field instead`, metadata.Child("annotations").Key("scheduler.alpha.kubernetes.io/critical-pod")))
	}
	for _, key := range []string{"security.alpha.kubernetes.io/sysctls", "security.alpha.kubernetes.io/unsafe-sysctls"} {
		if _, set := meta.Annotations[key]; set {
			all = append(all, fmt.Sprintf(`%s: non-functional in v1.11+; use the "sysctls" field instead`, metadata.Child("annotations").Key(key)))
		}
	}
	for i := range spec.Volumes {
		all = append(all, volumeWarnings(&spec.Volumes[i], at.Child("volumes").Index(i))...)
	}
	all = append(all, nameListWarnings(spec, at)...)
	if g := spec.TerminationGracePeriodSeconds; g != nil && *g < 0 {
		all = append(all, at.Child("terminationGracePeriodSeconds").String()+": must be >= 0; negative values are invalid and will be treated as 1")
	}
	all = append(all, fractionWarnings(spec.Overhead, at.Child("overhead"))...)
	if _, set := meta.Annotations[corev1.SeccompPodAnnotationKey]; set && (spec.SecurityContext == nil || spec.SecurityContext.SeccompProfile == nil) {
		all = append(all, fmt.Sprintf(`%s: non-functional in v1.27+; use the "seccompProfile" field instead`, metadata.Child("annotations").Key(corev1.SeccompPodAnnotationKey)))
	}
	all = append(all, containersWarnings(meta, spec, path)...)
	all = append(all, affinityWarnings(spec.Affinity, at.Child("affinity"))...)
	if spec.DNSConfig != nil {
		for i, ip := range spec.DNSConfig.Nameservers {
			all = append(all, utilvalidation.GetWarningsForIP(at.Child("dnsConfig", "nameservers").Index(i), ip)...)
		}
	}
	return all
}

// placementWarnings are about node labels of old names, and selectors that match nothing.
func placementWarnings(spec *corev1.PodSpec, path *field.Path) []string {
	var all []string
	var keys []string
	for key := range spec.NodeSelector {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if text := deprecatedLabels[key]; text != "" {
			all = append(all, path.Child("nodeSelector").Key(key).String()+": "+text)
		}
	}
	if spec.Affinity != nil && spec.Affinity.NodeAffinity != nil {
		n, at := spec.Affinity.NodeAffinity, path.Child("affinity", "nodeAffinity")
		if required := n.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
			for i := range required.NodeSelectorTerms {
				all = append(all, NodeTermWarnings(&required.NodeSelectorTerms[i], at.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").Index(i))...)
			}
		}
		for i := range n.PreferredDuringSchedulingIgnoredDuringExecution {
			all = append(all, NodeTermWarnings(&n.PreferredDuringSchedulingIgnoredDuringExecution[i].Preference,
				at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("preference"))...)
		}
	}
	for i, c := range spec.TopologySpreadConstraints {
		at := path.Child("topologySpreadConstraints").Index(i)
		if text := deprecatedLabels[c.TopologyKey]; text != "" {
			all = append(all, fmt.Sprintf("%s: %s is %s", at.Child("topologyKey"), c.TopologyKey, text))
		}
		all = append(all, nullSelector(c.LabelSelector, at)...)
	}
	return all
}

// NodeTermWarnings are about labels of nodes that have another name now.
func NodeTermWarnings(term *corev1.NodeSelectorTerm, path *field.Path) []string {
	var all []string
	for i, r := range term.MatchExpressions {
		if text := deprecatedLabels[r.Key]; text != "" {
			all = append(all, fmt.Sprintf("%s: %s is %s", path.Child("matchExpressions").Index(i).Child("key"), r.Key, text))
		}
	}
	return all
}

func nullSelector(s *metav1.LabelSelector, path *field.Path) []string {
	if s != nil {
		return nil
	}
	return []string{path.Child("labelSelector").String() + ": a null labelSelector results in matching no pod"}
}

func affinityWarnings(a *corev1.Affinity, path *field.Path) []string {
	if a == nil {
		return nil
	}
	var all []string
	terms := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm, at *field.Path) {
		for i := range required {
			all = append(all, nullSelector(required[i].LabelSelector, at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i))...)
		}
		for i := range preferred {
			all = append(all, nullSelector(preferred[i].PodAffinityTerm.LabelSelector, at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("podAffinityTerm"))...)
		}
	}
	if p := a.PodAffinity; p != nil {
		terms(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("podAffinity"))
	}
	if p := a.PodAntiAffinity; p != nil {
		terms(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("podAntiAffinity"))
	}
	return all
}

// nameListWarnings are about host aliases and pull secrets.
func nameListWarnings(spec *corev1.PodSpec, path *field.Path) []string {
	var all []string
	ips, secrets := map[string]bool{}, map[string]bool{}
	for i, alias := range spec.HostAliases {
		at := path.Child("hostAliases").Index(i).Child("ip")
		if ips[alias.IP] {
			all = append(all, fmt.Sprintf("%s: duplicate ip %q", at, alias.IP))
		}
		ips[alias.IP] = true
		all = append(all, utilvalidation.GetWarningsForIP(at, alias.IP)...)
	}
	empty := []string{}
	for i, secret := range spec.ImagePullSecrets {
		at := path.Child("imagePullSecrets").Index(i).Child("name")
		switch {
		case secret.Name == "":
			empty = append(empty, fmt.Sprintf("%s: invalid empty name %q", at, secret.Name))
		case secrets[secret.Name]:
			all = append(all, fmt.Sprintf("%s: duplicate name %q", at, secret.Name))
		}
		secrets[secret.Name] = true
	}
	return append(all, empty...)
}
