package state

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	resourcehelper "k8s.io/component-helpers/resource"
)

// Pod is a pod with what rules ask for again and again, computed once.
type Pod struct {
	*corev1.Pod
	Priority int32
	// Requests is what the pod takes of a node. Scoring counts at least defaultCPU and defaultMemory for containers that ask for nothing.
	Requests                                 Resources
	Scoring                                  Resources
	Ports                                    []Port
	Affinity, AntiAffinity                   []Term
	PreferredAffinity, PreferredAntiAffinity []WeightedTerm
}

// What a container that requests nothing counts for when nodes are compared (not when they are filtered): 100 millicores, 200 MiB.
const (
	defaultCPU    = 100
	defaultMemory = 200 << 20
)

// Port of the host that a pod takes.
type Port struct {
	IP       string
	Protocol corev1.Protocol
	Number   int32
}

// Conflicts tells whether two pods cannot take both ports of one host.
func (p Port) Conflicts(other Port) bool {
	const any = "0.0.0.0"
	return p.Number == other.Number && p.Protocol == other.Protocol && (p.IP == other.IP || p.IP == any || other.IP == any)
}

// NewPod computes a Pod.
func NewPod(object *corev1.Pod) *Pod {
	p := &Pod{Pod: object}
	if object.Spec.Priority != nil {
		p.Priority = *object.Spec.Priority
	}
	options := resourcehelper.PodResourcesOptions{UseStatusResources: true}
	p.Requests = toResources(resourcehelper.PodRequests(object, options))
	options.NonMissingContainerRequests = corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(defaultCPU, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(defaultMemory, resource.BinarySI),
	}
	p.Scoring = toResources(resourcehelper.PodRequests(object, options))
	p.Ports = hostPorts(&object.Spec)
	p.parseAffinity()
	return p
}

func hostPorts(spec *corev1.PodSpec) []Port {
	var ports []Port
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			for _, c := range containers[i].Ports {
				if c.HostPort > 0 {
					ports = append(ports, newPort(c))
				}
			}
		}
	}
	return ports
}

func newPort(c corev1.ContainerPort) Port {
	p := Port{IP: c.HostIP, Protocol: c.Protocol, Number: c.HostPort}
	if p.IP == "" {
		p.IP = "0.0.0.0"
	}
	if p.Protocol == "" {
		p.Protocol = corev1.ProtocolTCP
	}
	return p
}

// Term is one pod affinity term, ready to match.
type Term struct {
	// Key is equal for terms that match the same pods over the same topology.
	Key          string
	TopologyKey  string
	selector     labels.Selector
	namespaces   map[string]bool
	ofNamespaces labels.Selector
	// skipTerminating leaves out pods that are being deleted: spread constraints do, affinity does not.
	skipTerminating bool
}

// WeightedTerm is a preferred one.
type WeightedTerm struct {
	Term
	Weight int64
}

// Matches tells whether the term selects a pod, given the labels of the pod's namespace.
func (t *Term) Matches(p *corev1.Pod, namespace labels.Set) bool {
	if t.skipTerminating && p.DeletionTimestamp != nil {
		return false
	}
	in := t.namespaces[p.Namespace] || (t.ofNamespaces != nil && t.ofNamespaces.Matches(namespace))
	return in && t.selector.Matches(labels.Set(p.Labels))
}

func (p *Pod) parseAffinity() {
	a := p.Spec.Affinity
	if a == nil {
		return
	}
	if pa := a.PodAffinity; pa != nil {
		p.Affinity = p.terms(pa.RequiredDuringSchedulingIgnoredDuringExecution)
		p.PreferredAffinity = p.weighted(pa.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if pa := a.PodAntiAffinity; pa != nil {
		p.AntiAffinity = p.terms(pa.RequiredDuringSchedulingIgnoredDuringExecution)
		p.PreferredAntiAffinity = p.weighted(pa.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func (p *Pod) terms(in []corev1.PodAffinityTerm) []Term {
	out := make([]Term, 0, len(in))
	for i := range in {
		out = append(out, p.term(&in[i]))
	}
	return out
}

func (p *Pod) weighted(in []corev1.WeightedPodAffinityTerm) []WeightedTerm {
	out := make([]WeightedTerm, 0, len(in))
	for i := range in {
		out = append(out, WeightedTerm{Term: p.term(&in[i].PodAffinityTerm), Weight: int64(in[i].Weight)})
	}
	return out
}

// term compiles one term as seen from this pod: without namespaces it means the pod's own.
func (p *Pod) term(in *corev1.PodAffinityTerm) Term {
	t := Term{TopologyKey: in.TopologyKey, selector: Selector(in.LabelSelector), namespaces: map[string]bool{}}
	for _, ns := range in.Namespaces {
		t.namespaces[ns] = true
	}
	if len(in.Namespaces) == 0 && in.NamespaceSelector == nil {
		t.namespaces[p.Namespace] = true
	}
	if in.NamespaceSelector != nil {
		t.ofNamespaces = Selector(in.NamespaceSelector)
	}
	t.selector = withKeys(t.selector, in.MatchLabelKeys, in.MismatchLabelKeys, p.Labels)
	t.Key = termKey(&t)
	return t
}

// Selector compiles a label selector. Nil selects nothing; one that does not parse was refused by the apiserver, and selects nothing either.
func Selector(in *metav1.LabelSelector) labels.Selector {
	s, err := metav1.LabelSelectorAsSelector(in)
	if err != nil {
		return labels.Nothing()
	}
	return s
}
