package world

import (
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Controllers write back the objects that they read: what slim drops is lost, unless the apiserver keeps it.
func TestSlimKeepsAnnotations(t *testing.T) {
	obj := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{
		Annotations:   map[string]string{core.LastAppliedConfigAnnotation: "{}"},
		ManagedFields: []meta.ManagedFieldsEntry{{Manager: "m"}},
	}}
	if _, err := slim(obj); err != nil {
		t.Fatal(err)
	}
	if obj.Annotations[core.LastAppliedConfigAnnotation] != "{}" || obj.ManagedFields != nil {
		t.Errorf("left: %v", obj.ObjectMeta)
	}
}
