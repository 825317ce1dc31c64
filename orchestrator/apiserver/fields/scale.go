package fields

import (
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var (
	scaleGVK = autoscalingv1.SchemeGroupVersion.WithKind("Scale")
	replicas = fieldpath.MakePathOrDie("spec", "replicas")
)

// Scale is the part of managedFields that is about replicas, for one object and its scale.
type Scale struct {
	tracker *Tracker
	handler *managedfields.ScaleHandler
	entries []metav1.ManagedFieldsEntry
}

// Scale of an object that has one: spec.replicas, in every version that is served.
func (t *Tracker) Scale(target Target, parent kind.Object) (*Scale, error) {
	paths := managedfields.ResourcePathMappings{}
	for i := range target.Kind.Versions {
		of := Target{Kind: target.Kind, Version: &target.Kind.Versions[i]}
		paths[of.gvk().GroupVersion().String()] = replicas
	}
	handler := managedfields.NewScaleHandler(parent.GetManagedFields(), target.gvk().GroupVersion(), paths)
	entries, err := handler.ToSubresource()
	if err != nil {
		return nil, fmt.Errorf("read who manages the replicas of %s: %w", parent.GetName(), err)
	}
	return &Scale{tracker: t, handler: handler, entries: entries}, nil
}

// Update notes who changed live into wanted, and returns the parent's new managedFields.
func (s *Scale) Update(manager string, live, wanted *autoscalingv1.Scale) ([]metav1.ManagedFieldsEntry, error) {
	m, err := s.manager()
	if err != nil {
		return nil, err
	}
	result := m.UpdateNoErrors(s.shown(live), s.shown(wanted), manager)
	return s.handler.ToParent(result.(*autoscalingv1.Scale).ManagedFields)
}

// Apply merges an applied scale into live, and returns it with the parent's new managedFields.
func (s *Scale) Apply(manager string, force bool, live *autoscalingv1.Scale, patch *unstructured.Unstructured) (*autoscalingv1.Scale, []metav1.ManagedFieldsEntry, error) {
	m, err := s.manager()
	if err != nil {
		return nil, nil, err
	}
	merged, err := m.Apply(s.shown(live), patch, manager, force)
	if err != nil {
		return nil, nil, err
	}
	wanted := merged.(*autoscalingv1.Scale)
	entries, err := s.handler.ToParent(wanted.ManagedFields)
	return wanted, entries, err
}

func (s *Scale) manager() (*managedfields.FieldManager, error) {
	return s.tracker.managerOf(place{scaleGVK, "scale"}, func() map[fieldpath.APIVersion]fieldpath.Filter { return nil })
}

// shown is a scale with its type and the entries that are about it.
func (s *Scale) shown(scale *autoscalingv1.Scale) *autoscalingv1.Scale {
	copied := *scale
	copied.SetGroupVersionKind(scaleGVK)
	copied.ManagedFields = s.entries
	return &copied
}
