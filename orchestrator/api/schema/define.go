package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// Place is where documents of a version of OpenAPI keep their definitions.
type Place string

// The two versions.
const (
	V2 Place = "#/definitions/"
	V3 Place = "#/components/schemas/"
)

// Name of a struct type's definition, io.k8s.api.core.v1.Pod for instance.
func Name(t reflect.Type) string {
	if named, ok := reflect.Zero(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		return named.OpenAPIModelName()
	}
	return strings.ReplaceAll(t.PkgPath(), "/", ".") + "." + t.Name()
}

// Define returns the definition of a struct type, as a document that keeps its definitions in a place has it, and the types that it
// refers to. Where OpenAPI v2 says something else than v3, that stands in an extension: kube-openapi's builders know it.
func Define(place Place, t reflect.Type) (*spec.Schema, []reflect.Type) {
	head, _, _ := section(t)
	d := &definition{place: place}
	d.schema.Description = head.description(swagger(t, head)[""])
	extensions := map[string]any{}
	head.extensions(extensions)
	if !d.special(t) {
		d.schema.Type = []string{"object"}
		d.members(t)
	}
	if len(extensions) > 0 {
		for name, value := range extensions {
			d.schema.AddExtension(name, value)
		}
	}
	return &d.schema, d.uses
}

// definition is one being built.
type definition struct {
	place  Place
	schema spec.Schema
	uses   []reflect.Type
}

// special types say themselves what they are on the wire: Quantity, Time, IntOrString.
func (d *definition) special(t reflect.Type) bool {
	own, ok := reflect.Zero(t).Interface().(interface {
		OpenAPISchemaType() []string
		OpenAPISchemaFormat() string
	})
	if !ok {
		return false
	}
	d.schema.Type, d.schema.Format = own.OpenAPISchemaType(), own.OpenAPISchemaFormat()
	either, ok := own.(interface{ OpenAPIV3OneOfTypes() []string })
	if ok {
		v2 := d.schema
		d.schema.Type = nil
		d.schema.OneOf = common.GenerateOpenAPIV3OneOfSchema(either.OpenAPIV3OneOfTypes())
		d.schema.AddExtension(common.ExtensionV2Schema, v2)
	}
	return true
}

// members adds the fields of a struct, those of inlined structs among them.
func (d *definition) members(t reflect.Type) {
	head, lines, _ := section(t)
	docs := swagger(t, head)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && tagged && name == "" {
			d.members(indirect(f.Type))
			continue
		}
		if !tagged {
			name = f.Name
		}
		if name == "-" || name == "" || !f.IsExported() {
			continue
		}
		of := fieldFacts(lines, name)
		if of.has("hidden") {
			continue
		}
		omitted := strings.Contains(options, "omitempty")
		if of.has("required") || !omitted && !of.has("optional") {
			d.schema.Required = append(d.schema.Required, name)
		}
		if d.schema.Properties == nil {
			d.schema.Properties = map[string]spec.Schema{}
		}
		d.schema.Properties[name] = d.property(f, of, docs[name], omitted)
	}
}

// property describes a field.
func (d *definition) property(f reflect.StructField, of facts, doc string, omitted bool) spec.Schema {
	p := d.shape(f.Type)
	p.Description = of.description(doc)
	if values, texts := Enum(indirect(f.Type)); values != nil {
		p.Description = strings.TrimSpace(p.Description + possible(values, texts))
	}
	if p.Default = of.defaultValue(); p.Default == nil {
		p.Default = zero(f.Type, omitted)
	}
	extensions := map[string]any{}
	of.extensions(extensions)
	for tag, name := range map[string]string{"patchStrategy": "x-kubernetes-patch-strategy", "patchMergeKey": "x-kubernetes-patch-merge-key"} {
		if value, ok := f.Tag.Lookup(tag); ok {
			extensions[name] = value
		}
	}
	for name, value := range extensions {
		p.AddExtension(name, value)
	}
	return p
}

// possible lists the values of an enum below a description.
func possible(values, texts []string) string {
	var out strings.Builder
	out.WriteString("\n\nPossible enum values:")
	for i := range values {
		out.WriteString(strings.TrimRight(fmt.Sprintf("\n - `%q` %s", values[i], texts[i]), " "))
	}
	return out.String()
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	unmarshalType = reflect.TypeFor[json.Unmarshaler]()
)

// shape is the type of a value: simple, list, map or a reference.
func (d *definition) shape(t reflect.Type) spec.Schema {
	t = indirect(t)
	switch {
	case t == timeType:
		return simple("string", "date-time")
	case t.Kind() == reflect.Struct:
		d.uses = append(d.uses, t)
		return spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef(string(d.place) + Name(t))}}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return simple("string", "byte")
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		items := d.shape(t.Elem())
		return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"array"}, Items: &spec.SchemaOrArray{Schema: &items}}}
	case t.Kind() == reflect.Map:
		values := d.shape(t.Elem())
		return spec.Schema{SchemaProps: spec.SchemaProps{
			Type: []string{"object"}, AdditionalProperties: &spec.SchemaOrBool{Allows: true, Schema: &values},
		}}
	case t.Kind() == reflect.Interface:
		return spec.Schema{}
	}
	s := simple(common.OpenAPITypeFormat(t.Kind().String()))
	values, _ := Enum(t)
	for _, value := range values {
		s.Enum = append(s.Enum, value)
	}
	return s
}

func simple(name, format string) spec.Schema {
	return spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{name}, Format: format}}
}

// zero is the default of a field that is always sent: an empty struct, or the zero of a simple type.
func zero(t reflect.Type, omitted bool) any {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Array, reflect.Interface:
		return nil
	case reflect.Struct:
		if reflect.PointerTo(t).Implements(unmarshalType) {
			return nil
		}
		if t.NumField() == 1 && t.Field(0).Anonymous {
			return zero(t.Field(0).Type, omitted)
		}
		return map[string]any{}
	}
	if omitted {
		return nil
	}
	value, _ := common.OpenAPIZeroValue(t.Kind().String())
	return value
}

// swagger returns the descriptions that a type carries with it, by JSON name.
func swagger(t reflect.Type, head facts) map[string]string {
	documented, ok := reflect.Zero(t).Interface().(interface{ SwaggerDoc() map[string]string })
	if !ok || head.has("undocumented") {
		return nil
	}
	return documented.SwaggerDoc()
}

func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}
