package inuse

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestFinalizers(t *testing.T) {
	cases := map[string]struct {
		have          []string
		deleted, used bool
		want          []string
	}{
		"a new object is protected":               {nil, false, false, []string{"f"}},
		"a protected object stays":                {[]string{"f"}, false, true, []string{"f"}},
		"in use, it is held":                      {[]string{"a", "f"}, true, true, []string{"a", "f"}},
		"out of use, it goes":                     {[]string{"a", "f"}, true, false, []string{"a"}},
		"a deleted object is not protected again": {[]string{"a"}, true, true, []string{"a"}},
	}
	for name, c := range cases {
		got, ok := finalizersOf(c.have, "f", c.deleted, c.used)
		if !slices.Equal(got, c.want) || ok != slices.Equal(c.have, c.want) {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
}

func TestUses(t *testing.T) {
	claim := &core.PersistentVolumeClaim{ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "p-scratch"}}
	pod := func(namespace, node string, phase core.PodPhase, v core.VolumeSource) *core.Pod {
		return &core.Pod{
			ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: "p"}, Status: core.PodStatus{Phase: phase},
			Spec: core.PodSpec{NodeName: node, Volumes: []core.Volume{{Name: "scratch", VolumeSource: v}}},
		}
	}
	named := core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "p-scratch"}}
	cases := map[string]struct {
		pod  *core.Pod
		want bool
	}{
		"running":              {pod("n", "node", core.PodRunning, named), true},
		"ephemeral":            {pod("n", "node", core.PodPending, core.VolumeSource{Ephemeral: &core.EphemeralVolumeSource{}}), true},
		"not yet on a node":    {pod("n", "", core.PodPending, named), false},
		"ended":                {pod("n", "node", core.PodSucceeded, named), false},
		"in another namespace": {pod("m", "node", core.PodRunning, named), false},
		"another volume":       {pod("n", "node", core.PodRunning, core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}), false},
	}
	for name, c := range cases {
		if got := uses(c.pod, claim); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
