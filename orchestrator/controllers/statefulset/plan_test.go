package statefulset

import (
	"fmt"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
)

// A pod that is ready, but not yet for minReadySeconds, is not available: neither the next pod nor the next replacement begins.
func TestAnOrderedSetWaitsForMinReadySeconds(t *testing.T) {
	now, three := time.Unix(1_000_000, 0), int32(3)
	pod := func(ordinal int, revisionName string, readyFor time.Duration) *core.Pod {
		name := fmt.Sprintf("s-%d", ordinal)
		return &core.Pod{
			ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{
				revision.Label: revisionName, apps.StatefulSetPodNameLabel: name, apps.PodIndexLabel: fmt.Sprint(ordinal),
			}},
			Status: core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue, LastTransitionTime: meta.NewTime(now.Add(-readyFor))}}},
		}
	}
	set := &apps.StatefulSet{ObjectMeta: meta.ObjectMeta{Name: "s"}, Spec: apps.StatefulSetSpec{
		Replicas: &three, MinReadySeconds: 30, UpdateStrategy: apps.StatefulSetUpdateStrategy{Type: apps.RollingUpdateStatefulSetStrategyType},
	}}
	for _, row := range []struct {
		name string
		pods map[int]*core.Pod
		want []int
		wait time.Duration
	}{
		{"the first is ready for less", map[int]*core.Pod{0: pod(0, "new", 10*time.Second)}, nil, 20 * time.Second},
		{"the first is available", map[int]*core.Pod{0: pod(0, "new", 30*time.Second)}, []int{1}, 0},
		{"the replaced one is ready for less", map[int]*core.Pod{0: pod(0, "old", time.Hour), 1: pod(1, "old", time.Hour), 2: pod(2, "new", 10*time.Second)}, nil, 20 * time.Second},
		{"the replaced one is available", map[int]*core.Pod{0: pod(0, "old", time.Hour), 1: pod(1, "old", time.Hour), 2: pod(2, "new", 30*time.Second)}, []int{1}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &situation{set: set, pods: row.pods, current: "old", update: "new", now: now}
			var got []int
			for _, step := range s.plan() {
				got = append(got, step.ordinal)
			}
			if fmt.Sprint(got) != fmt.Sprint(row.want) || s.wait != row.wait {
				t.Errorf("steps for %v, waits %v; want %v and %v", got, s.wait, row.want, row.wait)
			}
		})
	}
}
