package endpoint

import (
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// update replaces an object, or the part of it that a subresource is.
func (c *call) update() error {
	options, err := c.updateOptions()
	if err != nil {
		return err
	}
	body := c.version.New()
	if err := c.decodeBody(body, c.gvk()); err != nil {
		return err
	}
	if err := c.place(body); err != nil {
		return err
	}
	wanted, err := c.toHub(body)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	changed, err := c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Subresource: c.info.Subresource,
		Hooks: c.hooks(admission.Update, options, len(options.DryRun) > 0),
		Apply: func(present kind.Object) (kind.Object, error) { return c.replacement(wanted, present) },
	})
	if apierrors.IsNotFound(err) && c.kind.CreateOnUpdate && c.info.Subresource == "" {
		return c.updateToCreate(wanted, options)
	}
	if err != nil {
		return err
	}
	return c.respond(http.StatusOK, changed)
}

// replacement checks what an update promises about the object that it replaces: its version and identity.
func (c *call) replacement(wanted, present kind.Object) (kind.Object, error) {
	if wanted.GetResourceVersion() == "" && !c.kind.UnconditionalUpdate {
		gk := schema.GroupKind{Group: c.kind.Group, Kind: c.kind.Names.Kind}
		return nil, apierrors.NewInvalid(gk, c.info.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), "", "must be specified for an update"),
		})
	}
	if uid := wanted.GetUID(); uid != "" && uid != present.GetUID() {
		return nil, apierrors.NewConflict(c.kind.GroupResource(), c.info.Name,
			fmt.Errorf("StorageError: invalid object, Code: 4, Key: /%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
				strings.TrimPrefix(objects.Key(c.kind, c.info.Namespace, c.info.Name), objects.Root), uid, present.GetUID()))
	}
	return wanted.DeepCopyObject().(kind.Object), nil
}

// updateToCreate: a PUT of an object that does not exist creates it, for the kinds that allow it.
func (c *call) updateToCreate(wanted kind.Object, options *metav1.UpdateOptions) error {
	if wanted.GetResourceVersion() != "" {
		return apierrors.NewNotFound(c.kind.GroupResource(), c.info.Name)
	}
	created, err := c.createInstead(wanted, asCreate(options.DryRun, options.FieldManager, options.FieldValidation), c.track(options))
	if err != nil {
		return err
	}
	return c.respond(http.StatusCreated, created)
}
