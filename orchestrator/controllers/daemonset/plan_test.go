package daemonset

import (
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

var now = time.Unix(1_000_000, 0)

func node(name string, taints ...core.Taint) *core.Node {
	return &core.Node{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"disk": "ssd"}}, Spec: core.NodeSpec{Taints: taints}}
}

func daemonOn(node, hash string, readyFor time.Duration) *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: node + hash, Labels: map[string]string{revision.Label: hash}}, Spec: core.PodSpec{NodeName: node},
		Status: core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue, LastTransitionTime: meta.NewTime(now.Add(-readyFor))}}},
	}
}

// A daemon that is ready, but not yet for minReadySeconds, is not available: the update does not go on to the next node.
func TestAnUpdateWaitsForMinReadySeconds(t *testing.T) {
	ds := &apps.DaemonSet{Spec: apps.DaemonSetSpec{
		MinReadySeconds: 30, UpdateStrategy: apps.DaemonSetUpdateStrategy{Type: apps.RollingUpdateDaemonSetStrategyType, RollingUpdate: &apps.RollingUpdateDaemonSet{}},
	}}
	nodes := []*core.Node{node("a"), node("b")}
	for _, row := range []struct {
		name     string
		readyFor time.Duration
		removed  int
		wait     time.Duration
	}{{"ready for less", 10 * time.Second, 0, 20 * time.Second}, {"ready for long enough", 30 * time.Second, 1, 0}} {
		t.Run(row.name, func(t *testing.T) {
			s := &situation{ds: ds, hash: "new", nodes: nodes, places: survey(ds, nodes), now: now, byNode: map[string][]*core.Pod{
				"a": {daemonOn("a", "new", row.readyFor)}, "b": {daemonOn("b", "old", time.Hour)},
			}}
			if w := s.roll(); len(w.remove) != row.removed {
				t.Errorf("%d removed, want %d", len(w.remove), row.removed)
			}
			if _, wait := s.status(); wait != row.wait {
				t.Errorf("looks again in %v, want %v", wait, row.wait)
			}
		})
	}
}

func TestWhereDaemonsRun(t *testing.T) {
	ds := &apps.DaemonSet{}
	ds.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
	other := node("other")
	other.Labels = nil
	for _, row := range []struct {
		name string
		node *core.Node
		want place
	}{
		{"that fits", node("n"), place{true, true}},
		{"without the label", other, place{}},
		{"not ready", node("n", core.Taint{Key: core.TaintNodeNotReady, Effect: core.TaintEffectNoExecute}), place{true, true}},
		{"with a taint for new pods", node("n", core.Taint{Key: "k", Effect: core.TaintEffectNoSchedule}), place{false, true}},
		{"with a taint for all pods", node("n", core.Taint{Key: "k", Effect: core.TaintEffectNoExecute}), place{}},
	} {
		if got := survey(ds, []*core.Node{row.node})[row.node.Name]; got != row.want {
			t.Errorf("a node %s: %+v, want %+v", row.name, got, row.want)
		}
	}
}
