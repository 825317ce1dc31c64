// Package kindfile reads the file of a configuration kind, such as KubeProxyConfiguration, so that no field of it is ignored in silence.
//
// It owns how a field is told to be honoured, idle or refused; a component lists its fields and is fed the decoded file. It knows no kind itself.
package kindfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	strict "sigs.k8s.io/yaml"
)

// Kind is a configuration kind as a component takes it. Every field stands in one of the two lists, by its path in the file: "profiles[].plugins". A
// field covers those below it.
type Kind struct {
	APIVersion, Kind string
	// Honoured fields have the effect that the kind's documentation says.
	Honoured []string
	// Bounds are the others: of each, the values that change nothing here are taken.
	Bounds []Bound
}

// Bound is a field of which only some values are taken. A zero value is one that was left out, and always taken but for false where true is taken.
type Bound struct {
	Field string
	// Takes are the values, as JSON.
	Takes []string
	// Why others are not taken, and what to do; where Anything is, why it has no effect.
	Why string
}

// Anything is taken where a field means nothing here.
const Anything = "*"

// Read decodes file, YAML or JSON, into the kind's type. An error names the file, the line, the field and what to do.
func (k Kind) Read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	if err := k.decode(data, into); err != nil {
		return fmt.Errorf("--config=%s: %w", file, err)
	}
	return nil
}

func (k Kind) decode(data []byte, into any) error {
	var head struct{ APIVersion, Kind string }
	if err := strict.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.APIVersion != k.APIVersion || head.Kind != k.Kind {
		return fmt.Errorf("is %s %s, not %s %s", head.APIVersion, head.Kind, k.APIVersion, k.Kind)
	}
	if err := strict.UnmarshalStrict(data, into); err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return err
	}
	var refused []error
	for _, root := range document.Content {
		refused = append(refused, k.refusals(root, "")...)
	}
	return errors.Join(refused...)
}

// refusals of what node, which stands at path, and all below it ask for.
func (k Kind) refusals(node *yaml.Node, path string) []error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if slices.Contains(k.Honoured, path) {
		return nil
	}
	if i := slices.IndexFunc(k.Bounds, func(b Bound) bool { return b.Field == path }); i >= 0 {
		if err := k.Bounds[i].judge(node); err != nil {
			return []error{err}
		}
		return nil
	}
	var refused []error
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			refused = append(refused, k.refusals(node.Content[i+1], below(path, node.Content[i].Value))...)
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			refused = append(refused, k.refusals(item, path+"[]")...)
		}
	}
	return refused
}

func (b Bound) judge(node *yaml.Node) error {
	var value any
	if err := node.Decode(&value); err != nil {
		return fmt.Errorf("line %d: %s: %w", node.Line, b.Field, err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("line %d: %s: %w", node.Line, b.Field, err)
	}
	takesTrue := slices.Contains(b.Takes, "true")
	if slices.Contains(b.Takes, Anything) || slices.Contains(b.Takes, string(text)) || leftOut(value) && !takesTrue || value == nil {
		return nil
	}
	return fmt.Errorf("line %d: %s: %s is not supported: %s", node.Line, b.Field, text, b.Why)
}

// leftOut is true for values that say no more than an absent field.
func leftOut(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !leftOut(inner) {
				return false
			}
		}
		return true
	}
	return value == "" || value == "0s" || value == "0" || value == 0 || value == 0.0 || value == false
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Unaccounted are the fields of the kind's type that stand in no list or in two, and what stands in a list and is no field: for the component's test.
func (k Kind) Unaccounted(kind reflect.Type) []string {
	listed := slices.Clone(k.Honoured)
	for _, b := range k.Bounds {
		listed = append(listed, b.Field)
	}
	met := map[string]bool{}
	var out []string
	for _, leaf := range leaves(kind, "") {
		count := 0
		for _, l := range listed {
			if leaf == l || strings.HasPrefix(leaf, l+".") || strings.HasPrefix(leaf, l+"[]") {
				met[l] = true
				count++
			}
		}
		if count != 1 {
			out = append(out, fmt.Sprintf("%s stands in %d lists", leaf, count))
		}
	}
	for _, l := range listed {
		if !met[l] {
			out = append(out, l+" is no field")
		}
	}
	return out
}

// leaves are the fields of a type that hold values, by their paths.
func leaves(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer:
		return leaves(t.Elem(), path)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return []string{path}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return leaves(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var out []string
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "":
			out = append(out, leaves(field.Type, path)...)
		default:
			out = append(out, leaves(field.Type, below(path, name))...)
		}
	}
	return out
}
