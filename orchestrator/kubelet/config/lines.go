package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// document is a file as people wrote it, with lines.
type document struct{ root *yaml.Node }

func read(data []byte) (document, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return document{}, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return document{}, errors.New("is not an object with fields")
	}
	return document{doc.Content[0]}, nil
}

// line where a field stands, by its path; that of the object around it when it is not there.
func (d document) line(path string) int {
	at, line := d.root, d.root.Line
	for _, name := range strings.Split(path, ".") {
		key, value := entry(at, name)
		if key == nil {
			return line
		}
		at, line = value, key.Line
	}
	return line
}

func entry(object *yaml.Node, name string) (key, value *yaml.Node) {
	if object.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value == name {
			return object.Content[i], object.Content[i+1]
		}
	}
	return nil, nil
}

// unknown returns an error for each field that the type does not have, and for each that is written twice.
func (d document) unknown(of reflect.Type) error { return unknownIn(d.root, of, "") }

func unknownIn(node *yaml.Node, of reflect.Type, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return nil // the decoder says what is wrong with it
	}
	known := fieldsOf(of)
	var errs []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		t, ok := known[key.Value]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("line %d: %s: there is no such field; take it out, or spell it as the API reference of KubeletConfiguration does", key.Line, path))
		case seen[key.Value]:
			errs = append(errs, fmt.Errorf("line %d: %s: is written twice", key.Line, path))
		case object(t):
			errs = append(errs, unknownIn(value, t, path+"."))
		}
		seen[key.Value] = true
	}
	return errors.Join(errs...)
}

// fieldsOf a struct by their names in a file.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if name != "" {
			fields[name] = kind
		}
	}
	return fields
}
