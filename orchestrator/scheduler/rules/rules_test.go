package rules

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

func node(name string, alter ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"host": name, "zone": "z-" + name}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi"), corev1.ResourcePods: resource.MustParse("3"),
		}},
	}
	for _, a := range alter {
		a(n)
	}
	return n
}

func pod(name string, alter ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name), Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "image"}}},
	}
	for _, a := range alter {
		a(p)
	}
	return p
}

func requests(cpu string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
}

func on(name string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = name } }

func web() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
}

func affinity(anti bool) func(*corev1.Pod) {
	terms := []corev1.PodAffinityTerm{{TopologyKey: "zone", LabelSelector: web()}}
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{}
		if anti {
			p.Spec.Affinity.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}
		} else {
			p.Spec.Affinity.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}
		}
	}
}

func spreadBy(key string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: web()}}
	}
}

func hostPort(port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: port}} }
}

func TestFilters(t *testing.T) {
	tainted := func(n *corev1.Node) {
		n.Spec.Taints = []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}}
	}
	cordoned := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	tolerant := func(p *corev1.Pod) {
		p.Spec.Tolerations = []corev1.Toleration{{Key: "k", Operator: corev1.TolerationOpExists}}
	}
	selecting := func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"host": "b"} }
	other := func(p *corev1.Pod) { p.Labels = map[string]string{"app": "other"} }
	// Each row asks for node a of the nodes a and b.
	for name, row := range map[string]struct {
		node   func(*corev1.Node)
		placed []*corev1.Pod
		pod    *corev1.Pod
		want   string
	}{
		"empty node":                     {nil, nil, pod("p"), ""},
		"cpu fits exactly":               {nil, []*corev1.Pod{pod("q", on("a"), requests("400m"))}, pod("p", requests("600m")), ""},
		"cpu short":                      {nil, []*corev1.Pod{pod("q", on("a"), requests("401m"))}, pod("p", requests("600m")), "Insufficient cpu"},
		"too many pods":                  {nil, []*corev1.Pod{pod("1", on("a")), pod("2", on("a")), pod("3", on("a"))}, pod("p"), "Too many pods"},
		"cordoned":                       {cordoned, nil, pod("p"), "node(s) were unschedulable"},
		"tainted":                        {tainted, nil, pod("p"), "node(s) had untolerated taint(s)"},
		"taint tolerated":                {tainted, nil, pod("p", tolerant), ""},
		"selector":                       {nil, nil, pod("p", selecting), "node(s) didn't match Pod's node affinity/selector"},
		"named another node":             {nil, nil, pod("p", on("b")), "node(s) didn't match the requested node name"},
		"port taken":                     {nil, []*corev1.Pod{pod("q", on("a"), hostPort(80))}, pod("p", hostPort(80)), "node(s) didn't have free ports for the requested pod ports"},
		"other port":                     {nil, []*corev1.Pod{pod("q", on("a"), hostPort(81))}, pod("p", hostPort(80)), ""},
		"affinity: nobody there":         {nil, []*corev1.Pod{pod("q", on("b"))}, pod("p", affinity(false)), "node(s) didn't match pod affinity rules"},
		"affinity: somebody there":       {nil, []*corev1.Pod{pod("q", on("a"))}, pod("p", affinity(false)), ""},
		"affinity: first of its group":   {nil, nil, pod("p", affinity(false)), ""},
		"affinity: first, but not a web": {nil, nil, pod("p", affinity(false), other), "node(s) didn't match pod affinity rules"},
		"anti-affinity":                  {nil, []*corev1.Pod{pod("q", on("a"))}, pod("p", affinity(true)), "node(s) didn't match pod anti-affinity rules"},
		"anti-affinity of a placed pod":  {nil, []*corev1.Pod{pod("q", on("a"), affinity(true))}, pod("p"), "node(s) didn't satisfy existing pods anti-affinity rules"},
		"spread: skewed":                 {nil, []*corev1.Pod{pod("q", on("a"))}, pod("p", spreadBy("zone")), "node(s) didn't match pod topology spread constraints"},
		"spread: even":                   {nil, []*corev1.Pod{pod("q", on("a")), pod("r", on("b"))}, pod("p", spreadBy("zone")), ""},
		"spread: no such label":          {nil, nil, pod("p", spreadBy("rack")), "node(s) didn't match pod topology spread constraints (missing required label)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := state.New()
			if row.node == nil {
				row.node = func(*corev1.Node) {}
			}
			s.SetNode(node("a", row.node))
			s.SetNode(node("b"))
			for _, p := range row.placed {
				s.Place(p)
			}
			var got []string
			for _, r := range Prepare(All(), state.NewPod(row.pod), s).Refusals(s.Node("a")) {
				got = append(got, r.Reason)
			}
			if strings.Join(got, "; ") != row.want {
				t.Fatalf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestTalliesFollowThePods: counts kept up to date by changes equal counts made from scratch.
func TestTalliesFollowThePods(t *testing.T) {
	s := state.New()
	s.SetNode(node("a"))
	s.SetNode(node("b"))
	p := state.NewPod(pod("p", affinity(false)))
	tally := s.Tally(p.Affinity[0])
	s.Place(pod("1", on("a")))
	s.Place(pod("2", on("b")))
	s.Place(pod("2", on("b"))) // a new version of the same pod
	s.Remove("1")
	if tally.Total != 1 || tally.ByValue["z-a"] != 0 || tally.ByValue["z-b"] != 1 {
		t.Fatalf("got %+v", tally)
	}
}

func TestScoresPreferTheEmptierNode(t *testing.T) {
	s := state.New()
	s.SetNode(node("a"))
	s.SetNode(node("b"))
	s.Place(pod("q", on("a"), requests("500m")))
	scores := Prepare(All(), state.NewPod(pod("p", requests("100m"))), s).Scores(s.Nodes())
	if scores[0] >= scores[1] {
		t.Fatalf("node a %d, node b %d", scores[0], scores[1])
	}
}
