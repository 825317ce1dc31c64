package statefulset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

func podName(set *apps.StatefulSet, ordinal int) string {
	return fmt.Sprintf("%s-%d", set.Name, ordinal)
}

// ordinalOf a pod of the set, or -1.
func ordinalOf(set *apps.StatefulSet, name string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(name, set.Name+"-"))
	if err != nil || podName(set, n) != name {
		return -1
	}
	return n
}

func start(set *apps.StatefulSet) int {
	if set.Spec.Ordinals == nil {
		return 0
	}
	return int(set.Spec.Ordinals.Start)
}

func replicas(set *apps.StatefulSet) int {
	if set.Spec.Replicas == nil {
		return 1
	}
	return int(*set.Spec.Replicas)
}

func partition(set *apps.StatefulSet) int {
	r := set.Spec.UpdateStrategy.RollingUpdate
	if r == nil || r.Partition == nil {
		return 0
	}
	return int(*r.Partition)
}

// beyond the replicas of a set is a pod that is to go.
func beyond(set *apps.StatefulSet, ordinal int) bool {
	return ordinal < start(set) || ordinal >= start(set)+replicas(set)
}

// build the pod of an ordinal from a revision.
func build(set *apps.StatefulSet, ordinal int, r *apps.ControllerRevision) (*core.Pod, error) {
	template, err := revision.TemplateOf(r)
	if err != nil {
		return nil, err
	}
	p := pods.FromTemplate(template, set.Namespace, *meta.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("StatefulSet")))
	p.GenerateName, p.Name = "", podName(set, ordinal)
	p.Spec.Hostname, p.Spec.Subdomain = p.Name, set.Spec.ServiceName
	identify(set, p, ordinal)
	p.Labels[revision.Label] = r.Name
	return p, nil
}

// identify gives a pod the labels and volumes of its ordinal; it is false when the pod had them.
func identify(set *apps.StatefulSet, p *core.Pod, ordinal int) bool {
	labels := maps.Clone(p.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[apps.StatefulSetPodNameLabel], labels[apps.PodIndexLabel] = p.Name, strconv.Itoa(ordinal)
	changed := !maps.Equal(labels, p.Labels)
	p.Labels = labels
	for _, claim := range set.Spec.VolumeClaimTemplates {
		source := core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: claimName(&claim, p.Name)}}
		i := slices.IndexFunc(p.Spec.Volumes, func(v core.Volume) bool { return v.Name == claim.Name })
		switch {
		case i < 0:
			p.Spec.Volumes = append(p.Spec.Volumes, core.Volume{Name: claim.Name, VolumeSource: source})
		case p.UID == "":
			p.Spec.Volumes[i].VolumeSource = source
		}
	}
	return changed
}

func claimName(template *core.PersistentVolumeClaim, pod string) string {
	return template.Name + "-" + pod
}

// claims of a pod, as its set's templates ask for them.
func claims(set *apps.StatefulSet, pod string) []*core.PersistentVolumeClaim {
	var out []*core.PersistentVolumeClaim
	for i := range set.Spec.VolumeClaimTemplates {
		claim := set.Spec.VolumeClaimTemplates[i].DeepCopy()
		claim.Name, claim.Namespace = claimName(claim, pod), set.Namespace
		labels := maps.Clone(claim.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, set.Spec.Selector.MatchLabels)
		claim.Labels, claim.Status = labels, core.PersistentVolumeClaimStatus{}
		if ref := ownerWanted(set, nil, false); ref != nil {
			claim.OwnerReferences = append(claim.OwnerReferences, *ref)
		}
		out = append(out, claim)
	}
	return out
}
