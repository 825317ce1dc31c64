package api

import (
	"testing"
	"time"
)

// Every entry is complete: a stored kind has a place, and a row has as many cells as there are columns, even of an empty object.
func TestEntriesAreComplete(t *testing.T) {
	prefixes := map[string]string{}
	for _, k := range All() {
		t.Run(k.Group+"/"+k.Resource, func(t *testing.T) {
			if k.Kind == "" || k.Singular == "" || len(k.Versions) == 0 || k.Versions[0].New() == nil {
				t.Fatalf("incomplete names or versions: %+v", k.Names)
			}
			if k.Virtual {
				return
			}
			obj := k.Storage.New()
			for _, rule := range []func(){
				func() {
					if k.Normalise != nil {
						k.Normalise(obj)
					}
				},
				func() {
					if k.Default != nil {
						k.Default(obj)
					}
				},
				func() {
					if k.PrepareCreate != nil {
						k.PrepareCreate(t.Context(), obj)
					}
				},
				func() {
					if k.ValidateCreate != nil {
						k.ValidateCreate(t.Context(), obj)
					}
				},
			} {
				rule()
			}
			if got, want := len(k.Cells(obj, time.Unix(0, 0))), len(k.Columns); got != want {
				t.Errorf("%d cells for %d columns", got, want)
			}
			if other, taken := prefixes[k.Storage.Prefix]; taken && other != "events" {
				t.Errorf("prefix %s is also that of %s", k.Storage.Prefix, other)
			}
			prefixes[k.Storage.Prefix] = k.Resource
		})
	}
}

func TestLookups(t *testing.T) {
	if k, ok := ByResource("apps", "deployments"); !ok || k.Kind != "Deployment" {
		t.Errorf("deployments: %v %v", k, ok)
	}
	if k, ok := ByKind("", "Node"); !ok || k.Storage.Prefix != "minions" {
		t.Errorf("Node: %v %v", k, ok)
	}
	if _, ok := ByKind("apps", "Node"); ok {
		t.Error("found apps Node")
	}
}
