package deployment

import (
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func deployment(n int32, surge, unavailable string) *apps.Deployment {
	s, u := intstr.Parse(surge), intstr.Parse(unavailable)
	return &apps.Deployment{Spec: apps.DeploymentSpec{Replicas: &n, Strategy: apps.DeploymentStrategy{
		Type: apps.RollingUpdateDeploymentStrategyType, RollingUpdate: &apps.RollingUpdateDeployment{MaxSurge: &s, MaxUnavailable: &u},
	}}}
}

func sized(name string, size, available int32, at int) *apps.ReplicaSet {
	return &apps.ReplicaSet{
		ObjectMeta: meta.ObjectMeta{Name: name, CreationTimestamp: meta.NewTime(time.Unix(int64(at), 0))},
		Spec:       apps.ReplicaSetSpec{Replicas: &size}, Status: apps.ReplicaSetStatus{Replicas: size, AvailableReplicas: available},
	}
}

func TestRollingKeepsWithinItsBounds(t *testing.T) {
	for _, row := range []struct {
		name               string
		n                  int32
		surge, unavailable string
		now, old           *apps.ReplicaSet
		want               map[string]int32
	}{
		{"starts by the surge", 10, "25%", "25%", sized("new", 0, 0, 2), sized("old", 10, 10, 1), map[string]int32{"new": 3}},
		{"then takes old pods that may be missed", 10, "25%", "25%", sized("new", 3, 0, 2), sized("old", 10, 10, 1), map[string]int32{"old": 8}},
		{"waits for the new ones", 10, "25%", "25%", sized("new", 5, 0, 2), sized("old", 8, 8, 1), nil},
		{"takes unready old pods first", 10, "25%", "25%", sized("new", 3, 0, 2), sized("old", 10, 8, 1), map[string]int32{"old": 8}},
		{"without surge it shrinks first", 4, "0", "1", sized("new", 0, 0, 2), sized("old", 4, 4, 1), map[string]int32{"old": 3}},
		{"both zero means one may be missing", 4, "0", "0", sized("new", 0, 0, 2), sized("old", 4, 4, 1), map[string]int32{"old": 3}},
		{"ends with the last old pod", 4, "1", "0", sized("new", 4, 4, 2), sized("old", 1, 1, 1), map[string]int32{"old": 0}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := map[string]int32{}
			for _, s := range rolling(deployment(row.n, row.surge, row.unavailable), row.now, []*apps.ReplicaSet{row.old}) {
				got[s.set.Name] = s.to
			}
			if len(got) != len(row.want) {
				t.Fatalf("got %v, want %v", got, row.want)
			}
			for name, to := range row.want {
				if got[name] != to {
					t.Errorf("%s: got %d, want %d", name, got[name], to)
				}
			}
		})
	}
}

func TestProportionalScalingAddsUp(t *testing.T) {
	d := deployment(20, "3", "2")
	d.Status.Replicas = 13
	now, old := sized("new", 5, 0, 2), sized("old", 8, 8, 1)
	now.Annotations, old.Annotations = map[string]string{maxAnnotation: "13"}, map[string]string{maxAnnotation: "13"}
	sum := int32(0)
	for _, s := range proportional(d, []*apps.ReplicaSet{now, old}) {
		sum += s.to
	}
	if sum != 23 {
		t.Errorf("sizes add up to %d, want 20 and the surge of 3", sum)
	}
}
