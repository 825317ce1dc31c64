package endpoint

import (
	"fmt"
	"net/http"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var scaleGVK = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

func (c *call) serveScale(s *kind.Scale) error {
	switch c.info.Verb {
	case "get":
		o, err := c.find(c.r.URL.Query().Get("resourceVersion"))
		if err != nil {
			return err
		}
		return RespondOther(c.w, c.r, http.StatusOK, scaleOf(s, objects.Of(o)), scaleGVK)
	case "update":
		return c.updateScale(s)
	case "patch":
		return c.patchScale(s)
	}
	return MethodNotAllowed(c.r)
}

func scaleOf(s *kind.Scale, parent kind.Object) *autoscalingv1.Scale {
	spec, status, selector := s.Get(parent)
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: parent.GetName(), Namespace: parent.GetNamespace(), UID: parent.GetUID(),
			ResourceVersion: parent.GetResourceVersion(), CreationTimestamp: parent.GetCreationTimestamp(),
		},
		Spec:   autoscalingv1.ScaleSpec{Replicas: spec},
		Status: autoscalingv1.ScaleStatus{Replicas: status, Selector: selector},
	}
}

func (c *call) updateScale(s *kind.Scale) error {
	options, err := c.updateOptions()
	if err != nil {
		return err
	}
	body := &autoscalingv1.Scale{}
	if err := c.decodeBody(body, scaleGVK); err != nil {
		return err
	}
	return c.changeScale(s, options, len(options.DryRun) > 0, c.scaleUpdate(options, func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		return body.DeepCopy(), nil
	}))
}

func (c *call) patchScale(s *kind.Scale) error {
	format, body, options, err := c.patchRequest()
	if err != nil {
		return err
	}
	dryRun := len(options.DryRun) > 0
	if format == types.ApplyYAMLPatchType {
		patch, err := c.configuration(body)
		if err != nil {
			return err
		}
		return c.changeScale(s, options, dryRun, c.scaleApply(options, patch))
	}
	if format == types.StrategicMergePatchType {
		format = types.MergePatchType // a Scale has no list to merge
	}
	p, err := c.patcher(format, body)
	if err != nil {
		return err
	}
	return c.changeScale(s, options, dryRun, c.scaleUpdate(options, func(present *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		patched := &autoscalingv1.Scale{}
		present.SetGroupVersionKind(scaleGVK)
		return patched, c.patched(present, p, patched, scaleGVK)
	}))
}

// scaleChange makes the wanted scale of the present one, and the parent's managedFields with it.
type scaleChange func(owners *fields.Scale, present *autoscalingv1.Scale) (*autoscalingv1.Scale, []metav1.ManagedFieldsEntry, error)

func (c *call) scaleUpdate(options runtime.Object, want func(present *autoscalingv1.Scale) (*autoscalingv1.Scale, error)) scaleChange {
	return func(owners *fields.Scale, present *autoscalingv1.Scale) (*autoscalingv1.Scale, []metav1.ManagedFieldsEntry, error) {
		wanted, err := want(present)
		if err != nil {
			return nil, nil, err
		}
		entries, err := owners.Update(c.managerName(options), present, wanted)
		return wanted, entries, err
	}
}

func (c *call) scaleApply(options *metav1.PatchOptions, patch *unstructured.Unstructured) scaleChange {
	return func(owners *fields.Scale, present *autoscalingv1.Scale) (*autoscalingv1.Scale, []metav1.ManagedFieldsEntry, error) {
		return owners.Apply(options.FieldManager, options.Force != nil && *options.Force, present, patch)
	}
}

// changeScale writes the wanted replicas into the parent and answers with its new scale.
func (c *call) changeScale(s *kind.Scale, options runtime.Object, dryRun bool, change scaleChange) error {
	hooks := c.hooks(admission.Update, options, dryRun)
	hooks.Gate = c.scaleAttempt(s, options, dryRun).Gate(c.r.Context())
	hooks.Track = func(obj, old kind.Object) { fields.KeepTimes(old, obj) }
	changed, err := c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Hooks: hooks,
		Apply: func(present kind.Object) (kind.Object, error) { return c.scaled(s, present, change) },
	})
	if err != nil {
		return err
	}
	return RespondOther(c.w, c.r, http.StatusOK, scaleOf(s, changed), scaleGVK)
}

// scaled sets the replicas of a copy of the parent.
func (c *call) scaled(s *kind.Scale, present kind.Object, change scaleChange) (kind.Object, error) {
	owners, err := c.Fields.Scale(c.target(), present)
	if err != nil {
		return nil, err
	}
	wanted, entries, err := change(owners, scaleOf(s, present))
	if err != nil {
		return nil, err
	}
	if wanted.Spec.Replicas < 0 {
		errs := field.ErrorList{field.Invalid(field.NewPath("spec", "replicas"), wanted.Spec.Replicas, "must be greater than or equal to 0")}
		return nil, apierrors.NewInvalid(scaleGVK.GroupKind(), c.info.Name, errs)
	}
	if v := wanted.ResourceVersion; v != "" && v != present.GetResourceVersion() {
		return nil, objects.Conflict(c.kind, c.info.Name)
	}
	if uid := wanted.UID; uid != "" && uid != present.GetUID() {
		//lint:ignore ST1005 stock's wording
		failed := fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", uid, present.GetUID())
		return nil, apierrors.NewConflict(schema.GroupResource{Group: c.kind.Group, Resource: c.kind.Resource + "/scale"}, c.info.Name, failed)
	}
	s.Set(present, wanted.Spec.Replicas)
	present.SetManagedFields(entries)
	return present, nil
}

// scaleAttempt shows admission the Scale, not the parent, and lets it alter the replicas.
func (c *call) scaleAttempt(s *kind.Scale, options runtime.Object, dryRun bool) admission.Attempt {
	t := c.attempt(admission.Update, options, dryRun)
	t.Body = scaleGVK
	t.View = func(parent kind.Object) runtime.Object { return scaleOf(s, parent) }
	t.Alter = func(parent kind.Object, view runtime.Object) {
		s.Set(parent, view.(*autoscalingv1.Scale).Spec.Replicas)
	}
	return t
}
