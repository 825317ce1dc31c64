package daemonset

import (
	"slices"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

const (
	generationAnnotation = apps.DeprecatedTemplateGeneration
	generationLabel      = "pod-template-generation"
)

// daemon is the pod of a set for one node.
func daemon(ds *apps.DaemonSet, node, hash string) *core.Pod {
	p := pods.FromTemplate(&ds.Spec.Template, ds.Namespace, *meta.NewControllerRef(ds, apps.SchemeGroupVersion.WithKind("DaemonSet")))
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	if g := ds.Annotations[generationAnnotation]; g != "" {
		p.Labels[generationLabel] = g
	}
	if hash != "" {
		p.Labels[revision.Label] = hash
	}
	tolerate(&p.Spec)
	aim(&p.Spec, node)
	return p
}

// tolerate what a daemon must outlive: a node's own troubles.
func tolerate(spec *core.PodSpec) {
	add := func(key string, effect core.TaintEffect) {
		t := core.Toleration{Key: key, Operator: core.TolerationOpExists, Effect: effect}
		if !slices.ContainsFunc(spec.Tolerations, func(o core.Toleration) bool { return o.MatchToleration(&t) }) {
			spec.Tolerations = append(spec.Tolerations, t)
		}
	}
	add(core.TaintNodeNotReady, core.TaintEffectNoExecute)
	add(core.TaintNodeUnreachable, core.TaintEffectNoExecute)
	add(core.TaintNodeDiskPressure, core.TaintEffectNoSchedule)
	add(core.TaintNodeMemoryPressure, core.TaintEffectNoSchedule)
	add(core.TaintNodePIDPressure, core.TaintEffectNoSchedule)
	add(core.TaintNodeUnschedulable, core.TaintEffectNoSchedule)
	if spec.HostNetwork {
		add(core.TaintNodeNetworkUnavailable, core.TaintEffectNoSchedule)
	}
}

// aim the pod at its node: every term of its required affinity is replaced by the node's name, as the controller has checked the terms.
func aim(spec *core.PodSpec, node string) {
	term := core.NodeSelectorTerm{MatchFields: []core.NodeSelectorRequirement{{Key: meta.ObjectNameField, Operator: core.NodeSelectorOpIn, Values: []string{node}}}}
	if spec.Affinity == nil {
		spec.Affinity = &core.Affinity{}
	}
	if spec.Affinity.NodeAffinity == nil {
		spec.Affinity.NodeAffinity = &core.NodeAffinity{}
	}
	spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{term}}
}

// nodeOf a daemon: where it runs, or the node that it is aimed at.
func nodeOf(p *core.Pod) string {
	if p.Spec.NodeName != "" || p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil || p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return p.Spec.NodeName
	}
	for _, term := range p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, f := range term.MatchFields {
			if f.Key == meta.ObjectNameField && f.Operator == core.NodeSelectorOpIn && len(f.Values) == 1 {
				return f.Values[0]
			}
		}
	}
	return ""
}

// fit is what decides on which nodes a set's daemons may be.
type fit struct {
	node        string
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []core.Toleration
}

func fitOf(ds *apps.DaemonSet) fit {
	p := &core.Pod{Spec: *ds.Spec.Template.Spec.DeepCopy()}
	tolerate(&p.Spec)
	return fit{node: p.Spec.NodeName, affinity: nodeaffinity.GetRequiredNodeAffinity(p), tolerations: p.Spec.Tolerations}
}

// place is whether a daemon should be started on a node, and whether one that is there may stay.
type place struct{ run, stay bool }

func (f fit) on(node *core.Node) place {
	if f.node != "" && f.node != node.Name {
		return place{}
	}
	if fits, err := f.affinity.Match(node); err != nil || !fits {
		return place{}
	}
	refused := func(effects ...core.TaintEffect) bool {
		_, found := corev1.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints, f.tolerations, func(t *core.Taint) bool { return slices.Contains(effects, t.Effect) }, true)
		return found
	}
	if refused(core.TaintEffectNoSchedule, core.TaintEffectNoExecute) {
		return place{stay: !refused(core.TaintEffectNoExecute)}
	}
	return place{run: true, stay: true}
}

// survey the nodes once: every question about the set asks of each of them.
func survey(ds *apps.DaemonSet, nodes []*core.Node) map[string]place {
	f, out := fitOf(ds), make(map[string]place, len(nodes))
	for _, node := range nodes {
		out[node.Name] = f.on(node)
	}
	return out
}
