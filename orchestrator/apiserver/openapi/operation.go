package openapi

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/common"
)

// operation is one method on one path; it implements common.Route for kube-openapi's builders.
type operation struct {
	method, path    string
	id, tag         string
	description     string
	action          string
	kind            schema.GroupVersionKind
	parameters      []parameter
	body            any
	consumes, makes []string
	answers         []answer
}

func (o *operation) Method() string             { return o.method }
func (o *operation) Path() string               { return o.path }
func (o *operation) OperationName() string      { return o.id }
func (o *operation) Description() string        { return o.description }
func (o *operation) Consumes() []string         { return o.consumes }
func (o *operation) Produces() []string         { return o.makes }
func (o *operation) RequestPayloadSample() any  { return o.body }
func (o *operation) ResponsePayloadSample() any { return nil }

func (o *operation) Parameters() []common.Parameter {
	var list []common.Parameter
	for _, p := range o.parameters {
		list = append(list, p)
	}
	return list
}

// Metadata tells clients which verb and kind the operation is about.
func (o *operation) Metadata() map[string]any {
	if o.action == "" {
		return nil
	}
	return map[string]any{
		"x-kubernetes-action":             o.action,
		"x-kubernetes-group-version-kind": metav1.GroupVersionKind{Group: o.kind.Group, Version: o.kind.Version, Kind: o.kind.Kind},
	}
}

func (o *operation) StatusCodeResponses() []common.StatusCodeResponse {
	var list []common.StatusCodeResponse
	for _, a := range o.answers {
		list = append(list, a)
	}
	return list
}

// answer is a status code with what comes in its body.
type answer struct {
	code  int
	model any
}

func (a answer) Code() int  { return a.code }
func (a answer) Model() any { return a.model }

func (a answer) Message() string {
	switch a.code {
	case 201:
		return "Created"
	case 202:
		return "Accepted"
	}
	return "OK"
}

// answers gives every code the same body.
func answers(model any, codes ...int) []answer {
	var list []answer
	for _, code := range codes {
		list = append(list, answer{code, model})
	}
	return list
}

// parameter of an operation.
type parameter struct {
	name, description string
	kind              common.ParameterKind
	// data is integer, string or boolean.
	data     string
	required bool
}

func (p parameter) Name() string               { return p.name }
func (p parameter) Description() string        { return p.description }
func (p parameter) Required() bool             { return p.required }
func (p parameter) Kind() common.ParameterKind { return p.kind }
func (p parameter) DataType() string           { return p.data }
func (p parameter) AllowMultiple() bool        { return false }

// articled puts the article before a kind: "a Pod", "an Event", "Endpoints".
func articled(noun string) string {
	switch {
	case strings.HasSuffix(noun, "s") && !strings.HasSuffix(noun, "ss"):
		return noun
	case strings.ContainsRune("AEIOU", rune(noun[0])):
		return "an " + noun
	}
	return "a " + noun
}

// identifier inserts the group version behind the first word of an operation's name: list+AppsV1+NamespacedDeployment.
func identifier(gv schema.GroupVersion, verb, rest string) string {
	return verb + friendly(gv.Group) + titled(gv.Version) + rest
}

// friendly is a group's name as one word: RbacAuthorization.
func friendly(group string) string {
	if group == "" {
		return "Core"
	}
	var word strings.Builder
	for _, part := range strings.Split(strings.TrimSuffix(group, ".k8s.io"), ".") {
		word.WriteString(titled(part))
	}
	return word.String()
}

func titled(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// tag of a group, and of a group version behind an underscore.
func tag(group, version string) string {
	name := friendly(group)
	name = strings.ToLower(name[:1]) + name[1:]
	if version == "" {
		return name
	}
	return name + "_" + version
}
