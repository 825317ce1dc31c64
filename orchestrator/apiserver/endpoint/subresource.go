package endpoint

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// serveSubresource answers for the parts of an object: status and its likes are updates by rules of their own, scale is a view of replicas.
func (c *call) serveSubresource() error {
	sub, ok := c.kind.Subresources[c.info.Subresource]
	if !ok {
		return apierrors.NewNotFound(c.kind.GroupResource(), c.info.Name)
	}
	if !slices.Contains(sub.Verbs, c.info.Verb) {
		return methodNotAllowed(c)
	}
	if sub.Scale != nil {
		return c.serveScale(sub.Scale)
	}
	switch c.info.Verb {
	case "get":
		return c.get()
	case "update":
		return c.update()
	case "patch":
		return c.patch()
	}
	return methodNotAllowed(c)
}

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
		wanted := &autoscalingv1.Scale{}
		if err := c.decodeBody(wanted, scaleGVK); err != nil {
			return err
		}
		return c.changeScale(s, func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error) { return wanted, nil })
	case "patch":
		return c.patchScale(s)
	}
	return methodNotAllowed(c)
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

func (c *call) patchScale(s *kind.Scale) error {
	body, err := readBody(c.r)
	if err != nil {
		return err
	}
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if media == string(types.StrategicMergePatchType) {
		media = string(types.MergePatchType) // a Scale has no list to merge
	}
	apply, err := c.patcher(types.PatchType(media), body)
	if err != nil {
		return err
	}
	return c.changeScale(s, func(present *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		before, err := json.Marshal(present)
		if err != nil {
			return nil, err
		}
		after, err := apply(before)
		if err != nil {
			return nil, c.unprocessable(err)
		}
		patched := &autoscalingv1.Scale{}
		return patched, c.decode(after, mediaJSON, patched, scaleGVK)
	})
}

// changeScale writes the wanted replicas into the parent and answers with its new scale.
func (c *call) changeScale(s *kind.Scale, want func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error)) error {
	dryRun, err := dryRunOf(c.r.URL.Query()["dryRun"])
	if err != nil {
		return err
	}
	hooks := c.hooks(admission.Update, &metav1.UpdateOptions{}, dryRun)
	hooks.Admit, hooks.Check = nil, c.scaleCheck(s, dryRun)
	changed, err := c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Hooks: hooks,
		Apply: func(present kind.Object) (kind.Object, error) {
			wanted, err := want(scaleOf(s, present))
			if err != nil {
				return nil, err
			}
			return c.scaled(s, present, wanted)
		},
	})
	if err != nil {
		return err
	}
	return RespondOther(c.w, c.r, http.StatusOK, scaleOf(s, changed), scaleGVK)
}

// scaled sets the replicas of a copy of the parent.
func (c *call) scaled(s *kind.Scale, present kind.Object, wanted *autoscalingv1.Scale) (kind.Object, error) {
	if wanted.Spec.Replicas < 0 {
		errs := field.ErrorList{field.Invalid(field.NewPath("spec", "replicas"), wanted.Spec.Replicas, "must be greater than or equal to 0")}
		return nil, apierrors.NewInvalid(scaleGVK.GroupKind(), c.info.Name, errs)
	}
	if v := wanted.ResourceVersion; v != "" && v != present.GetResourceVersion() {
		return nil, objects.Conflict(c.kind, c.info.Name)
	}
	if uid := wanted.UID; uid != "" && uid != present.GetUID() {
		return nil, apierrors.NewConflict(c.kind.GroupResource(), c.info.Name, errors.New("the UID in the scale does not match the object's"))
	}
	s.Set(present, wanted.Spec.Replicas)
	return present, nil
}

// scaleCheck shows admission the Scale, not the parent.
func (c *call) scaleCheck(s *kind.Scale, dryRun bool) func(obj, old kind.Object) error {
	if c.Admission == nil {
		return nil
	}
	return func(obj, old kind.Object) error {
		a := c.attributes(admission.Update, &metav1.UpdateOptions{}, dryRun)
		a.Body, a.Object, a.Old = scaleGVK, scaleOf(s, obj), scaleOf(s, old)
		if err := c.Admission.Admit(c.r.Context(), a); err != nil {
			return err
		}
		return c.Admission.Validate(c.r.Context(), a)
	}
}
