package nodelifecycle

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// While every zone is down it is this control plane that is cut off, rather than all nodes at once: no pod may go for that, also from nodes that
// were tainted before the last one fell silent.
func TestEvictionsAreCalledOffWhileEveryZoneIsDown(t *testing.T) {
	now := time.Unix(1000, 0)
	node := func(name, zone string, ready core.ConditionStatus, tainted bool) *core.Node {
		n := &core.Node{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{core.LabelTopologyZone: zone, core.LabelTopologyRegion: "r"}}}
		n.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: ready}}
		if tainted {
			n.Spec.Taints = []core.Taint{{Key: core.TaintNodeUnreachable, Effect: core.TaintEffectNoExecute}}
		}
		return n
	}
	executes := func(t core.Taint) bool { return t.Effect == core.TaintEffectNoExecute }
	for _, row := range []struct {
		name string
		// before and then are the nodes at two looks; the first of them is judged after the second look.
		before, then []*core.Node
		stays        bool
	}{
		{"one zone of two is down", nil, []*core.Node{node("a", "1", core.ConditionUnknown, true), node("b", "2", core.ConditionTrue, false)}, true},
		{"all are down", nil, []*core.Node{node("a", "1", core.ConditionUnknown, true), node("b", "2", core.ConditionUnknown, false)}, false},
		{"the last one fell silent", []*core.Node{node("a", "1", core.ConditionUnknown, false), node("b", "2", core.ConditionTrue, false)},
			[]*core.Node{node("a", "1", core.ConditionUnknown, true), node("b", "2", core.ConditionUnknown, false)}, false},
		{"the only node is down", nil, []*core.Node{node("a", "1", core.ConditionUnknown, true)}, false},
		{"one is back", []*core.Node{node("a", "1", core.ConditionUnknown, false), node("b", "2", core.ConditionUnknown, false)},
			[]*core.Node{node("a", "1", core.ConditionUnknown, false), node("b", "2", core.ConditionTrue, false)}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &controller{
				World: &world.World{Settings: world.Settings{EvictionRate: 1, UnhealthyZone: 0.55}}, paces: map[string]*pace{},
				loop: loop.New(t.Context(), 1, slog.New(slog.DiscardHandler), nil),
			}
			for i, nodes := range [][]*core.Node{row.before, row.then} {
				c.zones(nodes, now.Add(time.Duration(i)*time.Minute))
			}
			if got := taints(row.then[0], c.permit.of("a"), now); slices.ContainsFunc(got, executes) != row.stays {
				t.Errorf("taints %v, evicted from %t, want %t", got, !row.stays, row.stays)
			}
		})
	}
}
