package bootstrap

import (
	"log/slog"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// An object that is made without owners is never tracked afterwards, so the first objects must have theirs.
func TestSeedsAreTracked(t *testing.T) {
	all := api.All()
	var kinds []*kind.Kind
	for i := range all {
		kinds = append(kinds, &all[i])
	}
	registry := objects.New(kinds, memory.New(), slog.New(slog.DiscardHandler))
	registry.Track = func(_ *kind.Kind, _ string, obj, _ kind.Object) {
		obj.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kube-apiserver"}})
	}
	seeds := Namespaces()
	if n, err := Seed(t.Context(), registry, seeds); err != nil || n != len(seeds) {
		t.Fatalf("%d of %d: %v", n, len(seeds), err)
	}
	obj, err := registry.Live(t.Context(), registry.Kind(seeds[0].Resource), "", seeds[0].Object.GetName())
	if err != nil || len(obj.GetManagedFields()) != 1 {
		t.Errorf("%v: %v", err, obj)
	}
}
