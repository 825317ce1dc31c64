package schema

import (
	"reflect"

	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	merge "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// mergeType is one struct type's part of a merge schema.
type mergeType struct {
	definition merge.TypeDef
	uses       []reflect.Type
}

// mergeOf collects a type and all that it refers to. The caller holds the lock.
func (s *Schemas) mergeOf(root reflect.Type) (typed.ParseableType, error) {
	common, err := commonMergeTypes()
	if err != nil {
		return typed.ParseableType{}, err
	}
	parser := typed.Parser{Schema: merge.Schema{Types: common}}
	seen := map[reflect.Type]bool{root: true}
	for queue := []reflect.Type{root}; len(queue) > 0; queue = queue[1:] {
		found, err := s.mergeType(queue[0])
		if err != nil {
			return typed.ParseableType{}, err
		}
		parser.Schema.Types = append(parser.Schema.Types, found.definition)
		for _, used := range found.uses {
			if !seen[used] {
				seen[used] = true
				queue = append(queue, used)
			}
		}
	}
	return parser.Type(Name(root)), nil
}

func (s *Schemas) mergeType(t reflect.Type) (mergeType, error) {
	name := Name(t)
	if found, ok := s.merging[name]; ok {
		return found, nil
	}
	definition, uses := Define(V3, t)
	converted, err := schemaconv.ToSchemaFromOpenAPI(map[string]*spec.Schema{name: definition}, false)
	if err != nil {
		return mergeType{}, err
	}
	made := mergeType{uses: uses}
	for _, d := range converted.Types {
		if d.Name == name {
			made.definition = d
		}
	}
	s.merging[name] = made
	return made, nil
}

// commonMergeTypes are the types that every merge schema has for what is not described.
func commonMergeTypes() ([]merge.TypeDef, error) {
	converted, err := schemaconv.ToSchemaFromOpenAPI(nil, false)
	if err != nil {
		return nil, err
	}
	return converted.Types, nil
}
