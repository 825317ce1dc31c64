package fields_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
)

// tracker of the catalogue, and the target of a resource in its preferred version.
func tracker(tb testing.TB, group, resource, subresource string) (*fields.Tracker, fields.Target) {
	tb.Helper()
	all := api.All()
	var kinds []*kind.Kind
	target := fields.Target{Subresource: subresource}
	for i := range all {
		kinds = append(kinds, &all[i])
		if all[i].Group == group && all[i].Resource == resource {
			target.Kind, target.Version = &all[i], &all[i].Versions[0]
		}
	}
	if target.Kind == nil {
		tb.Fatalf("the catalogue has no %s", resource)
	}
	return fields.New(kinds, schema.New(all)), target
}

// pod of an ordinary size, with its defaults.
func pod(target fields.Target) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "d", UID: types.UID("1"), Labels: map[string]string{"app": "web", "hash": "x"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "r", UID: "2"}}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "c", Image: "i", Env: []corev1.EnvVar{{Name: "A", Value: "b"}, {Name: "C", Value: "d"}},
				Ports: []corev1.ContainerPort{{ContainerPort: 80}}, VolumeMounts: []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}}},
			Volumes: []corev1.Volume{{Name: "v"}},
		},
	}
	target.Kind.Default(p)
	return p
}

func TestManagerName(t *testing.T) {
	for _, row := range []struct{ named, agent, want string }{
		{"x", "kubectl/v1", "x"},
		{"", "kubectl/v1.37.2 (linux/amd64) kubernetes/1", "kubectl"},
		{"", "", ""},
		{"", "a\x01b", "ab"},
		{"", strings.Repeat("y", 200), strings.Repeat("y", 128)},
	} {
		if got := fields.ManagerName(row.named, row.agent); got != row.want {
			t.Errorf("%q, %q: %q, not %q", row.named, row.agent, got, row.want)
		}
	}
}

func TestFieldsThatAWriteResetsAreNotItsOwn(t *testing.T) {
	for _, row := range []struct {
		subresource, want string
	}{
		{"", "spec"}, {"status", "status"},
	} {
		tr, target := tracker(t, "", "pods", row.subresource)
		live := pod(target)
		tr.Update(fields.Target{Kind: target.Kind, Version: target.Version}, "maker", nil, live)
		wanted := live.DeepCopy()
		wanted.Spec.NodeName, wanted.Status.Phase = "n", corev1.PodRunning
		tr.Update(target, "writer", live, wanted)
		for _, e := range wanted.ManagedFields {
			if got := string(e.FieldsV1.GetRawBytes()); e.Manager == "writer" && (!strings.Contains(got, "f:"+row.want) || strings.Count(got, "f:") != 2) {
				t.Errorf("%q: %s", row.subresource, got)
			}
		}
		if n := len(wanted.ManagedFields); n != 2 {
			t.Errorf("%q: %d managers", row.subresource, n)
		}
	}
}

func TestAnUpdateThatChangesNothingKeepsTheTimes(t *testing.T) {
	tr, target := tracker(t, "", "pods", "")
	live := pod(target)
	tr.Update(target, "maker", nil, live)
	old := metav1.Unix(1, 0)
	live.ManagedFields[0].Time = &old
	for name, asked := range map[string][]metav1.ManagedFieldsEntry{"silent": nil, "as read": live.ManagedFields} {
		wanted := live.DeepCopy()
		wanted.ManagedFields = asked
		tr.Update(target, "other", live, wanted)
		if len(wanted.ManagedFields) != 1 || !wanted.ManagedFields[0].Time.Equal(&old) {
			t.Errorf("%s: %v", name, wanted.ManagedFields)
		}
	}
}

func TestEventsAreOneKindInTwoGroups(t *testing.T) {
	tr, core := tracker(t, "", "events", "")
	_, group := tracker(t, "events.k8s.io", "events", "")
	live := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: "d", UID: "1"}, Reason: "R", Message: "m"}
	tr.Update(core, "old", nil, live)
	wanted := live.DeepCopy()
	wanted.Message = "n"
	tr.Update(group, "new", live, wanted)
	var got []string
	for _, e := range wanted.ManagedFields {
		got = append(got, e.Manager+" "+e.APIVersion)
	}
	if want := "[new events.k8s.io/v1 old v1]"; fmt.Sprint(got) != want {
		t.Errorf("%v, not %s", got, want)
	}
}

func BenchmarkTrack(b *testing.B) {
	tr, main := tracker(b, "", "pods", "")
	status := fields.Target{Kind: main.Kind, Version: main.Version, Subresource: "status"}
	made := pod(main)
	tr.Update(main, "maker", nil, made)
	live := made.DeepCopy()
	live.Status.Phase = corev1.PodPending
	tr.Update(status, "kubelet", made, live)
	b.Run("create", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			obj := pod(main)
			obj.UID = ""
			tr.Update(main, "maker", nil, obj)
		}
	})
	b.Run("status", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			obj := live.DeepCopy()
			obj.Status.Phase = corev1.PodRunning
			tr.Update(status, "kubelet", live, obj)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tr.Update(status, "kubelet", live, live.DeepCopy())
		}
	})
}
