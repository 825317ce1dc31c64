package tainteviction

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestATolerationEndsHoweverOftenItIsLookedAt: each row is looks at a node, a second apart, and until when a pod that tolerates for 3 s may stay after
// the last of them, in seconds from the first. A toleration counted anew at each look would never end.
func TestATolerationEndsHoweverOftenItIsLookedAt(t *testing.T) {
	taint := core.Taint{Key: "k", Value: "v", Effect: core.TaintEffectNoExecute}
	with, without := []core.Taint{taint}, []core.Taint(nil)
	start := time.Unix(1000, 0)
	stamp := meta.NewTime(start.Add(-time.Second))
	stamped := []core.Taint{{Key: "k", Value: "v", Effect: core.TaintEffectNoExecute, TimeAdded: &stamp}}
	three := int64(3)
	pod := &core.Pod{Spec: core.PodSpec{Tolerations: []core.Toleration{{
		Key: "k", Operator: core.TolerationOpExists, Effect: core.TaintEffectNoExecute, TolerationSeconds: &three,
	}}}}
	for name, row := range map[string]struct {
		looks   [][]core.Taint
		until   int
		forever bool
	}{
		"seen once":                     {[][]core.Taint{with}, 3, false},
		"seen again and again":          {[][]core.Taint{with, with, with}, 3, false},
		"removed":                       {[][]core.Taint{with, without}, 0, true},
		"removed and added again":       {[][]core.Taint{with, without, with}, 5, false},
		"says itself when it was added": {[][]core.Taint{stamped, stamped}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &seen{}
			for i, taints := range row.looks {
				s.note(&core.Node{ObjectMeta: meta.ObjectMeta{Name: "n"}, Spec: core.NodeSpec{Taints: taints}}, start.Add(time.Duration(i)*time.Second))
			}
			until, forever := stay(pod, row.looks[len(row.looks)-1], s.on("n"))
			if forever != row.forever || !forever && !until.Equal(start.Add(time.Duration(row.until)*time.Second)) {
				t.Errorf("until %s, forever %t, want %d s, forever %t", until.Sub(start), forever, row.until, row.forever)
			}
		})
	}
}
