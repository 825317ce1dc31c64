package schema

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/common"
)

// Definitions are those of some types and of all that they refer to, by name, as kube-openapi's builders take them for a document.
// The document of one group version names only kinds of that and of the core group; the empty version stands for all groups.
func Definitions(place Place, within schema.GroupVersion, roots ...reflect.Type) map[string]common.OpenAPIDefinition {
	made := map[string]common.OpenAPIDefinition{}
	for queue := roots; len(queue) > 0; queue = queue[1:] {
		name := Name(queue[0])
		if _, ok := made[name]; ok {
			continue
		}
		definition, uses := Define(place, queue[0])
		if kinds := extension(Kinds(queue[0]), within); kinds != nil {
			definition.AddExtension("x-kubernetes-group-version-kind", kinds)
		}
		of := common.OpenAPIDefinition{Schema: *definition}
		for _, used := range uses {
			of.Dependencies = append(of.Dependencies, Name(used))
			queue = append(queue, used)
		}
		made[name] = of
	}
	return made
}

// extension is the list of kinds in the form that OpenAPI documents have.
func extension(kinds []schema.GroupVersionKind, within schema.GroupVersion) []any {
	var list []any
	for _, gvk := range kinds {
		if len(kinds) > 1 && within.Version != "" && gvk.Group != "" && gvk.GroupVersion() != within {
			continue
		}
		list = append(list, map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind})
	}
	return list
}
