package workloads

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// pods are so many that are Ready, that are not yet, and that are told to end.
func pods(ready, starting, ending int) (all []*corev1.Pod) {
	now := metav1.Now()
	for i := range ready + starting + ending {
		p := &corev1.Pod{}
		if i < ready || i >= ready+starting {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		}
		if i >= ready+starting {
			p.DeletionTimestamp = &now
		}
		all = append(all, p)
	}
	return all
}

func TestBoundsAreHeldAtEveryState(t *testing.T) {
	type state struct {
		after time.Duration
		pods  []*corev1.Pod
	}
	for name, row := range map[string]struct {
		states    []state
		few, many bool
	}{
		"a rollout":                       {[]state{{0, pods(3, 0, 0)}, {0, pods(3, 1, 0)}, {0, pods(4, 0, 0)}, {0, pods(3, 0, 1)}, {time.Minute, pods(3, 1, 1)}}, false, false},
		"one too few, for a moment":       {[]state{{0, pods(3, 0, 0)}, {0, pods(2, 1, 0)}, {0, pods(3, 0, 0)}}, true, false},
		"who is to end serves no longer":  {[]state{{0, pods(2, 1, 1)}}, true, false},
		"one too many, gone in a moment":  {[]state{{0, pods(4, 1, 0)}, {time.Second, pods(4, 0, 1)}}, false, false},
		"one too many, that stays":        {[]state{{0, pods(4, 1, 0)}, {4 * time.Second, pods(4, 1, 0)}}, false, true},
		"one too many until it is judged": {[]state{{0, pods(4, 1, 0)}, {4 * time.Second, nil}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bounds{least: 3, most: 4, tooMany: scene.Lasting{For: 3 * time.Second}}
			now := time.Now()
			for _, s := range row.states {
				now = now.Add(s.after)
				if s.pods == nil {
					b.tooMany.See(now, "")
					continue
				}
				b.look(now, s.pods)
			}
			if (len(b.tooFew) > 0) != row.few || (len(b.tooMany.Wrong) > 0) != row.many {
				t.Errorf("too few %v, too many %v", b.tooFew, b.tooMany.Wrong)
			}
		})
	}
}

func TestWhatReplicaSetsWantIsBoundAtEveryState(t *testing.T) {
	of := func(sizes ...int32) (sets []*appsv1.ReplicaSet) {
		for _, n := range sizes {
			sets = append(sets, &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &n}})
		}
		return sets
	}
	b := &bounds{most: 4}
	if b.wanted(of(3, 1)); len(b.tooWanted) > 0 {
		t.Error(b.tooWanted)
	}
	if b.wanted(of(3, 2)); len(b.tooWanted) == 0 {
		t.Error("five pods are wanted, and nobody minds")
	}
}

// A rollout that replaced some of the pods has not replaced the pods.
func TestEveryPodMustBeReplaced(t *testing.T) {
	before := []types.UID{"a", "b", "c"}
	for name, row := range map[string]struct {
		now  []types.UID
		left int
	}{
		"all": {[]types.UID{"d", "e", "f"}, 0}, "two of three": {[]types.UID{"d", "e", "c"}, 1}, "none": {before, 3},
	} {
		if same := left(row.now, before); len(same) != row.left {
			t.Errorf("%s: %v are left", name, same)
		}
	}
}
