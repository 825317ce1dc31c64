package garbage

import (
	"slices"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func object(uid string, owners ...string) *meta.PartialObjectMetadata {
	o := &meta.PartialObjectMetadata{ObjectMeta: meta.ObjectMeta{UID: types.UID(uid), Name: uid, Namespace: "ns"}}
	yes := true
	for _, owner := range owners {
		o.OwnerReferences = append(o.OwnerReferences, meta.OwnerReference{UID: types.UID(owner), Name: owner, BlockOwnerDeletion: &yes})
	}
	return o
}

func put(g *graph, o *meta.PartialObjectMetadata) []types.UID {
	again, _ := g.put(identity{namespace: o.Namespace, name: o.Name}, "", o)
	return again
}

func TestGraphSaysWhatToLookAtAgain(t *testing.T) {
	g := newGraph()
	if again := put(g, object("child", "parent")); !slices.Contains(again, "child") {
		t.Errorf("an owner that was never seen: looked at %v, want the child", again)
	}
	put(g, object("parent"))
	if again := put(g, object("child", "parent")); len(again) != 0 {
		t.Errorf("an owner that is there: looked at %v, want nothing", again)
	}
	ending := object("parent")
	ending.Finalizers, ending.DeletionTimestamp = []string{meta.FinalizerDeleteDependents}, &meta.Time{Time: time.Unix(1, 0)}
	if again := put(g, ending); !slices.Contains(again, "child") || !slices.Contains(again, "parent") {
		t.Errorf("foreground deletion: looked at %v, want parent and child", again)
	}
	if again := g.gone("child"); !slices.Contains(again, "parent") {
		t.Errorf("the last dependent went: looked at %v, want the parent that waits", again)
	}
	g.gone("parent")
	if len(g.nodes) != 0 {
		t.Errorf("%d nodes are left of an empty cluster", len(g.nodes))
	}
}

func TestGraphTellsDependentsWhenTheirOwnerGoes(t *testing.T) {
	g := newGraph()
	put(g, object("parent"))
	put(g, object("child", "parent"))
	if again := g.gone("parent"); !slices.Contains(again, "child") {
		t.Errorf("looked at %v, want the child", again)
	}
	if g.living(edge{uid: "parent", name: "parent"}, "ns") {
		t.Error("an owner that went counts as living")
	}
}

// What bears an owner's UID but another name, kind, group or namespace is not that owner.
func TestGraphKnowsAnOwnerByItsCoordinates(t *testing.T) {
	right := edge{uid: "u", apiVersion: "apps/v1", kind: "Deployment", name: "d"}
	for _, row := range []struct {
		name      string
		change    func(*edge)
		namespace string
		living    bool
	}{
		{"the owner itself", func(*edge) {}, "ns", true},
		{"by another version", func(e *edge) { e.apiVersion = "apps/v1beta2" }, "ns", true},
		{"by another group", func(e *edge) { e.apiVersion = "extensions/v1" }, "ns", false},
		{"by a version that is none", func(e *edge) { e.apiVersion = "a/b/c" }, "ns", false},
		{"by another kind", func(e *edge) { e.kind = "ReplicaSet" }, "ns", false},
		{"by another name", func(e *edge) { e.name = "e" }, "ns", false},
		{"from another namespace", func(*edge) {}, "other", false},
		{"from no namespace", func(*edge) {}, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, e := newGraph(), right
			row.change(&e)
			dependent := &meta.PartialObjectMetadata{ObjectMeta: meta.ObjectMeta{UID: "dependent", Name: "dependent", Namespace: row.namespace, OwnerReferences: []meta.OwnerReference{
				{UID: e.uid, APIVersion: e.apiVersion, Kind: e.kind, Name: e.name},
			}}}
			owner := &meta.PartialObjectMetadata{ObjectMeta: meta.ObjectMeta{UID: "u", Name: "d", Namespace: "ns"}}
			deployments := identity{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, "ns", "d"}
			g.put(identity{namespace: row.namespace, name: "dependent"}, "ConfigMap", dependent)
			again, strays := g.put(deployments, "Deployment", owner)
			if g.living(e, row.namespace) != row.living {
				t.Errorf("living is %t, want %t", !row.living, row.living)
			}
			if slices.Contains(again, "dependent") == row.living {
				t.Errorf("the owner came after its dependent: looked at %v", again)
			}
			if strayed := row.namespace != "ns"; (len(strays) == 1) != strayed {
				t.Errorf("%d references lead elsewhere, want %t", len(strays), strayed)
			}
			again, strays = g.put(identity{namespace: row.namespace, name: "dependent"}, "ConfigMap", dependent)
			if slices.Contains(again, "dependent") == row.living || len(strays) > 0 {
				t.Errorf("the dependent came again: looked at %v, reported %v anew", again, strays)
			}
		})
	}
}
