package endpoint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// matcher tells whether a list or watch wants an object.
type matcher func(*watchcache.Object) bool

// matcher compiles the selectors of a request; a name in the URL is one too.
func (c *call) matcher(options *metav1.ListOptions) (matcher, error) {
	byLabels, err := labels.Parse(options.LabelSelector)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	byFields, err := c.fieldSelector(options.FieldSelector)
	if err != nil {
		return nil, err
	}
	if c.info.Name != "" {
		byFields = fields.AndSelectors(byFields, fields.OneTermEqualSelector(nameField, c.info.Name))
	}
	return func(o *watchcache.Object) bool {
		return (byLabels.Empty() || byLabels.Matches(labels.Set(o.Labels))) && (byFields.Empty() || byFields.Matches(selectable{o}))
	}, nil
}

func (c *call) fieldSelector(text string) (fields.Selector, error) {
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	known := fields.Set{nameField: "", namespaceField: ""}
	if c.kind.Fields != nil {
		maps.Copy(known, c.kind.Fields(c.kind.Storage.New()))
	}
	for _, requirement := range selector.Requirements() {
		if _, ok := known[requirement.Field]; !ok {
			return nil, apierrors.NewBadRequest(unknownField(c.kind.Names, c.kind.Fields != nil, requirement.Field))
		}
	}
	return selector, nil
}

// unknownField is stock's wording, which depends on whether a group has fields of its own, and on who wrote it.
func unknownField(names kind.Names, more bool, label string) string {
	switch {
	case names.Group == "batch" && more:
		return fmt.Sprintf("field label %q not supported for %s", label, names.Kind)
	case names.Group == "apps" || !more:
		return fmt.Sprintf(`%q is not a known field selector: only "metadata.name", "metadata.namespace"`, label)
	}
	return "field label not supported: " + label
}

// The fields that every object can be selected by.
const (
	nameField      = "metadata.name"
	namespaceField = "metadata.namespace"
)

// selectable are the fields of an object that selectors know. It implements fields.Fields.
type selectable struct{ *watchcache.Object }

// Get implements fields.Fields.
func (s selectable) Get(field string) string {
	switch field {
	case nameField:
		return s.Name
	case namespaceField:
		return s.Namespace
	}
	return s.Fields[field]
}

// Has implements fields.Fields.
func (s selectable) Has(field string) bool {
	_, ok := s.Fields[field]
	return ok || field == nameField || field == namespaceField
}

// scope is what the keys of all objects begin with that a list or watch may want: those of one namespace, or of one name.
func (c *call) scope() string {
	prefix := objects.NamespacePrefix(c.kind, c.info.Namespace)
	if c.kind.Namespaced && c.info.Namespace == "" {
		return prefix
	}
	return prefix + c.info.Name
}

// continuation is what a continue token says: stock's form, with the whole key as start.
type continuation struct {
	Version  string `json:"v"`
	Revision int64  `json:"rv"`
	Start    string `json:"start"`
}

const continueVersion = "meta.k8s.io/v1"

// anyRevision in a continue token means the present: the rest of a list that is no longer consistent with its beginning.
const anyRevision = -1

// expired tells a client that its list cannot be continued at its revision, and hands it a token to continue without that.
func expired(after string) error {
	err := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. You can start a new list " +
		"without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the " +
		"provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was " +
		"returned and now may show up in the list.")
	err.ErrStatus.Continue = encodeContinue(anyRevision, after)
	return err
}

func encodeContinue(revision int64, last string) string {
	text, err := json.Marshal(continuation{continueVersion, revision, last})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeContinue(token string) (revision int64, after string, err error) {
	var c continuation
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	switch {
	case err != nil:
	case c.Version != continueVersion:
		err = fmt.Errorf("server does not recognize this encoded version %q", c.Version)
	case c.Revision <= 0 && c.Revision != anyRevision:
		err = fmt.Errorf("incorrect encoded start resourceVersion (version %s)", continueVersion)
	}
	if err != nil {
		return 0, "", apierrors.NewBadRequest("invalid continue token: continue key is not valid: " + err.Error())
	}
	return c.Revision, c.Start, nil
}
