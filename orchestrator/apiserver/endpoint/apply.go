package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// applyAttempts is how often an apply starts anew because the object came or went meanwhile.
const applyAttempts = 5

// apply merges a configuration into an object, or makes the object of it (server-side apply, KEP-555).
func (c *call) apply(body []byte, options *metav1.PatchOptions) error {
	patch, err := c.configuration(body)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		changed, err := c.applyToPresent(patch, options)
		if err == nil {
			return c.respond(http.StatusOK, changed)
		}
		if !apierrors.IsNotFound(err) || c.info.Subresource != "" {
			return err
		}
		created, err := c.applyToNothing(patch, options)
		if err == nil {
			return c.respond(http.StatusCreated, created)
		}
		if !apierrors.IsAlreadyExists(err) || attempt == applyAttempts {
			return err
		}
	}
}

// configuration reads what is applied: YAML, of which JSON is a part.
func (c *call) configuration(body []byte) (*unstructured.Unstructured, error) {
	content := map[string]any{}
	raw, err := yaml.YAMLToJSONStrict(body)
	var repeated *goyaml.TypeError
	switch {
	case err == nil:
	case validationOf(c.r) == strictFields:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: error converting YAML to JSON: %v", err))
	case errors.As(err, &repeated):
		if validationOf(c.r) == warnOfFields {
			for _, text := range repeated.Errors {
				c.warn(text)
			}
		}
		if raw, err = yaml.YAMLToJSON(body); err != nil {
			return nil, apierrors.NewBadRequest("error encoding patch: " + err.Error())
		}
	default:
		return nil, apierrors.NewBadRequest("error encoding patch: " + err.Error())
	}
	if err := utiljson.Unmarshal(raw, &content); err != nil {
		return nil, apierrors.NewBadRequest("error encoding patch: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	return &unstructured.Unstructured{Object: content}, nil
}

func (c *call) applyToPresent(patch *unstructured.Unstructured, options *metav1.PatchOptions) (kind.Object, error) {
	hooks := c.hooks(admission.Update, options, len(options.DryRun) > 0)
	hooks.Track = func(obj, old kind.Object) { fields.KeepTimes(old, obj) }
	return c.Registry.Modify(c.r.Context(), c.kind, objects.Change{
		Namespace: c.info.Namespace, Name: c.info.Name, Subresource: c.info.Subresource, Hooks: hooks,
		Apply: func(present kind.Object) (kind.Object, error) { return c.merged(patch, options, present) },
	})
}

func (c *call) applyToNothing(patch *unstructured.Unstructured, options *metav1.PatchOptions) (kind.Object, error) {
	obj, err := c.merged(patch, options, nil)
	if err != nil {
		return nil, err
	}
	return c.createInstead(obj, asCreate(options.DryRun, options.FieldManager, options.FieldValidation), nil)
}

// merged is the wanted hub object.
func (c *call) merged(patch *unstructured.Unstructured, options *metav1.PatchOptions, present kind.Object) (kind.Object, error) {
	force := options.Force != nil && *options.Force
	obj, err := c.Fields.Apply(c.target(), options.FieldManager, force, present, patch)
	if err != nil {
		return nil, err
	}
	if err := c.sameName(obj); err != nil {
		return nil, err
	}
	if err := c.place(obj); err != nil {
		return nil, err
	}
	return c.toHub(obj)
}

// sameName checks that a patch left the object its name.
func (c *call) sameName(obj kind.Object) error {
	switch obj.GetName() {
	case c.info.Name:
		return nil
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", c.info.Name))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", obj.GetName(), c.info.Name))
}
