package garbage

import (
	"slices"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	return g.put(identity{namespace: o.Namespace, name: o.Name}, o)
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
	if _, there := g.present("parent"); there {
		t.Error("an owner that went counts as present")
	}
}
