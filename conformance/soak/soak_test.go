package soak

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/history"
)

// shape is a cluster whose nodes nobody touches.
type shape struct{ nodes []cluster.Node }

func (s shape) Name() string                  { return "shape" }
func (s shape) Nodes() []cluster.Node         { return s.nodes }
func (s shape) Kubeconfig() []byte            { return nil }
func (s shape) APIServers() map[string]string { return nil }
func (s shape) BalancerPort() string          { return "" }
func (s shape) Control() cluster.Control      { return cluster.Unsupported{} }

func names(seed uint64, n int) (all []string) {
	c := shape{[]cluster.Node{{Name: "cp1", Role: cluster.ControlPlane}, {Name: "cp2", Role: cluster.ControlPlane}, {Name: "w", Role: cluster.Worker}}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for range n {
		all = append(all, choose(c, rng).Name)
	}
	return all
}

func TestASeedChoosesTheSameFaults(t *testing.T) {
	if a, b := names(7, 200), names(7, 200); !slices.Equal(a, b) {
		t.Fatalf("%v\n%v", a, b)
	}
	if slices.Equal(names(7, 200), names(8, 200)) {
		t.Fatal("two seeds choose the same 200 faults")
	}
}

func TestFaultsFitTheirNodes(t *testing.T) {
	all := names(1, 1000)
	for _, wanted := range []string{"kill node w", "isolate", "kill etcd on cp1", "fill the disk of etcd on cp2", "pause kube-scheduler on cp2", "stop kubelet on w"} {
		if !slices.ContainsFunc(all, func(name string) bool {
			return strings.Contains(strings.Replace(name, "partition", "isolate", 1), wanted)
		}) {
			t.Errorf("1000 choices hold no %q", wanted)
		}
	}
	for _, name := range all {
		for _, component := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
			if strings.Contains(name, component) && strings.HasSuffix(name, " on w") {
				t.Errorf("%s: a worker has no %s", name, component)
			}
		}
	}
}

func TestGapIsTheBalancersLongestSilence(t *testing.T) {
	write := func(client string, end time.Duration, outcome history.Outcome) history.Call {
		return history.Call{Client: client, Op: history.Put, End: end * time.Second, Outcome: outcome}
	}
	h := history.History{Calls: []history.Call{
		write("balancer", 1, history.OK), write("balancer", 2, history.OK), write("balancer", 4, history.Unknown), write("cp1", 5, history.OK),
		write("balancer", 7, history.OK), write("balancer", 8, history.OK),
	}}
	if got := gap(h); got != 5*time.Second {
		t.Fatalf("gap %s, want 5s", got)
	}
}
