package endpoint

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// maxOperations of one JSON patch (stock's limit).
const maxOperations = 10000

// patch changes an object, or the part of it that a subresource is, by one of the patch formats.
func (c *call) patch() error {
	options := &metav1.PatchOptions{}
	if err := c.decodeOptions(options); err != nil {
		return err
	}
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		media = c.r.Header.Get("Content-Type")
	}
	body, err := readBody(c.r)
	if err != nil {
		return err
	}
	apply, err := c.patcher(types.PatchType(media), body)
	if err != nil {
		return err
	}
	dryRun, err := dryRunOf(options.DryRun)
	if err != nil {
		return err
	}
	changed, err := c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Subresource: c.info.Subresource, Hooks: c.hooks(admission.Update, options, dryRun),
		Apply: func(present kind.Object) (kind.Object, error) { return c.applyPatch(present, apply) },
	})
	if err != nil {
		return err
	}
	return c.respond(http.StatusOK, changed)
}

// patchFunc turns the JSON of the present object into that of the wanted one.
type patchFunc func(present []byte) ([]byte, error)

func (c *call) patcher(format types.PatchType, body []byte) (patchFunc, error) {
	switch format {
	case types.JSONPatchType:
		return jsonPatcher(body)
	case types.MergePatchType:
		if !json.Valid(body) {
			return nil, apierrors.NewBadRequest("error decoding patch: invalid JSON document")
		}
		return func(present []byte) ([]byte, error) { return jsonpatch.MergePatch(present, body) }, nil
	case types.StrategicMergePatchType:
		schema, err := strategicpatch.NewPatchMetaFromStruct(c.version.New())
		if err != nil {
			return nil, err
		}
		return func(present []byte) ([]byte, error) {
			return strategicpatch.StrategicMergePatchUsingLookupPatchMeta(present, body, schema)
		}, nil
	}
	return nil, unsupportedMedia("the body of the request was in an unknown format - accepted media types include",
		string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType))
}

func jsonPatcher(body []byte) (patchFunc, error) {
	operations, err := jsonpatch.DecodePatch(body)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	if len(operations) > maxOperations {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(operations)))
	}
	return operations.Apply, nil
}

// applyPatch patches the served version and comes back to the hub.
func (c *call) applyPatch(present kind.Object, apply patchFunc) (kind.Object, error) {
	served, err := c.fromHub(present)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(withType(served, c.gvk()))
	if err != nil {
		return nil, err
	}
	after, err := apply(before)
	if err != nil {
		return nil, c.unprocessable(err)
	}
	patched := c.version.New()
	if err := c.decode(after, mediaJSON, patched, c.gvk()); err != nil {
		return nil, err
	}
	if patched.GetName() != present.GetName() || patched.GetNamespace() != present.GetNamespace() {
		return nil, c.invalid(field.Invalid(field.NewPath("metadata", "name"), patched.GetName(), "field is immutable"))
	}
	return c.toHub(patched)
}

// withType is a copy that carries its type, as patches may test it.
func withType(obj kind.Object, gvk schema.GroupVersionKind) kind.Object {
	copied := obj.DeepCopyObject().(kind.Object)
	copied.GetObjectKind().SetGroupVersionKind(gvk)
	return copied
}

// unprocessable: the patch is well-formed, but does not fit the object (422).
func (c *call) unprocessable(err error) error {
	if known := apierrors.ReasonForError(err); known != metav1.StatusReasonUnknown {
		return err
	}
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}

func (c *call) invalid(errs ...*field.Error) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: c.kind.Group, Kind: c.kind.Names.Kind}, c.info.Name, errs)
}
