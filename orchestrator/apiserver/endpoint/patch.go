package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	strictjson "sigs.k8s.io/json"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

const (
	// maxOperations of one JSON patch (stock's limit).
	maxOperations = 10000
	// maxCopied is how many bytes the copy operations of one JSON patch may add together, as stock's: without a bound each of them can double the object.
	maxCopied = 3 << 20
)

// boundCopies sets the library's one limit, for all patches.
var boundCopies = sync.OnceFunc(func() { jsonpatch.AccumulatedCopySizeLimit = maxCopied })

// patch changes an object, or the part of it that a subresource is, by one of the patch formats.
func (c *call) patch() error {
	format, body, options, err := c.patchRequest()
	if err != nil {
		return err
	}
	if format == types.ApplyYAMLPatchType {
		return c.apply(body, options)
	}
	p, err := c.patcher(format, body)
	if err != nil {
		return err
	}
	changed, err := c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Subresource: c.info.Subresource,
		Hooks: c.hooks(admission.Update, options, len(options.DryRun) > 0),
		Apply: func(present kind.Object) (kind.Object, error) { return c.applyPatch(present, p) },
	})
	if err != nil {
		return err
	}
	return c.respond(http.StatusOK, changed)
}

// patchRequest reads format, body and options of a patch.
func (c *call) patchRequest() (types.PatchType, []byte, *metav1.PatchOptions, error) {
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		media = c.r.Header.Get("Content-Type")
	}
	format := types.PatchType(media)
	switch format {
	case types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType:
	default:
		return "", nil, nil, unsupportedPatch()
	}
	body, err := readBody(c.r)
	if err != nil {
		return "", nil, nil, err
	}
	options, err := c.patchOptions(format)
	return format, body, options, err
}

// unsupportedPatch is a refusal of the route, not of a codec.
func unsupportedPatch() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "415: Unsupported Media Type", Details: &metav1.StatusDetails{},
	}}
}

// patcher turns the JSON of the present object into that of the wanted one.
type patcher struct {
	apply func(present []byte) ([]byte, error)
	// about is what of the object has to be there for it; nil is everything.
	about part
	// repeated are the fields that the patch itself sets twice.
	repeated []error
	// content of a strategic patch is what errors about its outcome show; other patches show the outcome.
	content map[string]any
}

func (c *call) patcher(format types.PatchType, body []byte) (patcher, error) {
	if format == types.JSONPatchType {
		return jsonPatcher(body)
	}
	content := map[string]any{}
	repeated, err := strictjson.UnmarshalStrict(body, &content)
	if err != nil {
		return patcher{}, undecodable(err)
	}
	if format == types.MergePatchType {
		return patcher{apply: mergeWith(body), about: partOfMerge(content), repeated: repeated}, nil
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(c.version.New())
	if err != nil {
		return patcher{}, err
	}
	return patcher{about: partOfMerge(content), repeated: repeated, content: content, apply: func(present []byte) ([]byte, error) {
		after, err := strategic(present, content, schema)
		return after, strategicError(err)
	}}, nil
}

// undecodable: the patch is no JSON, or JSON that is no patch.
func undecodable(err error) error {
	var other *json.UnmarshalTypeError
	if !errors.As(err, &other) {
		return apierrors.NewBadRequest("invalid JSON patch")
	}
	return apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
}

// mergeWith a patch that is JSON, but need not be an object.
func mergeWith(patch []byte) func(present []byte) ([]byte, error) {
	return func(present []byte) ([]byte, error) {
		after, err := jsonpatch.MergePatch(present, patch)
		if errors.Is(err, jsonpatch.ErrBadJSONPatch) {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return after, err
	}
}

// strategic merges a patch, which it leaves as it is.
func strategic(present []byte, patch map[string]any, schema strategicpatch.LookupPatchMeta) ([]byte, error) {
	object := map[string]any{}
	if err := strictjson.UnmarshalCaseSensitivePreserveInts(present, &object); err != nil {
		return nil, mergepatch.ErrBadJSONDoc
	}
	merged, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(object, runtime.DeepCopyJSON(patch), schema)
	if err != nil {
		return nil, err
	}
	return json.Marshal(merged)
}

func jsonPatcher(body []byte) (patcher, error) {
	var steps []any
	repeated, err := strictjson.UnmarshalStrict(body, &steps)
	if err != nil {
		return patcher{}, undecodable(err)
	}
	for i := range repeated {
		repeated[i] = fmt.Errorf("json patch %w", repeated[i])
	}
	boundCopies()
	operations, err := jsonpatch.DecodePatch(body)
	if err != nil {
		return patcher{}, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	if len(operations) > maxOperations {
		return patcher{}, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(operations)))
	}
	return patcher{about: partOfOperations(operations), repeated: repeated, apply: func(present []byte) ([]byte, error) {
		after, err := operations.Apply(present)
		return after, unprocessable(err)
	}}, nil
}

// strategicError tells a patch that is not well-formed from one that fails.
func strategicError(err error) error {
	switch err {
	case mergepatch.ErrBadJSONDoc, mergepatch.ErrBadPatchFormatForPrimitiveList, mergepatch.ErrBadPatchFormatForRetainKeys,
		mergepatch.ErrBadPatchFormatForSetElementOrderList, mergepatch.ErrUnsupportedStrategicMergePatchFormat:
		return apierrors.NewBadRequest(err.Error())
	case mergepatch.ErrNoListOfLists:
		return unprocessable(err)
	}
	return err
}

// applyPatch patches the served version and comes back to the hub.
func (c *call) applyPatch(present kind.Object, p patcher) (kind.Object, error) {
	served, err := c.fromHub(present)
	if err != nil {
		return nil, err
	}
	patched := c.version.New()
	if p.about == nil || c.patchedPart(served, p, patched) != nil {
		// Errors are about the whole object.
		patched = c.version.New()
		if err := c.patched(withType(served, c.gvk()), p, patched, c.gvk()); err != nil {
			return nil, err
		}
	}
	if err := c.sameName(patched); err != nil {
		return nil, err
	}
	if err := c.place(patched); err != nil {
		return nil, err
	}
	return c.toHub(patched)
}

// patchedPart patches the part that the patch is about; the rest is taken from served, which is used up.
func (c *call) patchedPart(served kind.Object, p patcher, into kind.Object) error {
	if err := c.patched(withType(p.about.of(served, c.version.New()), c.gvk()), p, into, c.gvk()); err != nil {
		return err
	}
	p.about.complete(into, served)
	return nil
}

// patched applies a patch to an object that carries its type, and reads the outcome.
func (c *call) patched(present runtime.Object, p patcher, into runtime.Object, gvk schema.GroupVersionKind) error {
	before, err := json.Marshal(present)
	if err != nil {
		return err
	}
	after, err := p.apply(before)
	if err != nil {
		return err
	}
	if err := c.strictness(c.decodePatched(after, p.repeated, into, gvk)); err != nil {
		return p.invalid(after, into, err)
	}
	into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}

// invalid says that the outcome of a patch is no object of its kind.
func (p patcher) invalid(after []byte, into runtime.Object, err error) error {
	shown := excerpt(string(after))
	if p.content != nil {
		shown = excerpt(fmt.Sprintf("%+v", p.content))
		// Strategic patches merge maps, and the conversion of maps to objects words its errors in another way than the decoder of JSON.
		content := map[string]any{}
		if strictjson.UnmarshalCaseSensitivePreserveInts(after, &content) == nil {
			if wrong := runtime.DefaultUnstructuredConverter.FromUnstructured(content, into); wrong != nil {
				err = wrong
			}
		}
	}
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), shown, err.Error())})
}

func (c *call) decodePatched(after []byte, repeated []error, into runtime.Object, want schema.GroupVersionKind) error {
	_, got, err := strictJSON.Decode(after, &want, into)
	if got != nil && *got != want {
		return wrongKind(*got, want)
	}
	if strict, ok := runtime.AsStrictDecodingError(err); ok || err == nil && len(repeated) > 0 {
		if ok {
			repeated = append(repeated[:len(repeated):len(repeated)], strict.Errors()...)
		}
		err = runtime.NewStrictDecodingError(repeated)
	}
	return err
}

// unprocessable: the patch is well-formed, but does not fit the object (422).
func unprocessable(err error) error {
	if err == nil {
		return nil
	}
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}
