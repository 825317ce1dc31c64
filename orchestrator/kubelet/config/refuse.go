package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leaf is a field that holds a value, not further fields.
type leaf struct {
	path  string
	value reflect.Value
}

// object is true for types that are fields in the file, not one value: durations and quantities are structs in Go only.
func object(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// leaves of a configuration, in the order of the type. Below a pointer that is nil nothing is set; its fields are listed as zero.
func leaves(v reflect.Value, prefix string) []leaf {
	var all []leaf
	for _, f := range reflect.VisibleFields(v.Type()) {
		if len(f.Index) > 1 || f.Type == reflect.TypeFor[metav1.TypeMeta]() {
			continue // promoted fields are met below the struct that they are promoted from
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := strings.TrimSuffix(prefix+name, ".")
		value := v.FieldByIndex(f.Index)
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if !object(kind) {
			all = append(all, leaf{path, value})
			continue
		}
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				value = reflect.New(kind)
			}
			value = value.Elem()
		}
		if name != "" {
			path += "."
		} else {
			path = prefix // inlined
		}
		all = append(all, leaves(value, path)...)
	}
	return all
}

// refuse returns an error for each field that asks for something that this kubelet does not do. line tells where a field stands.
func refuse(cfg *Config, line func(path string) int) error {
	found := map[string]reflect.Value{}
	for _, l := range leaves(reflect.ValueOf(cfg).Elem(), "") {
		found[l.path] = l.value
	}
	var errs []error
	for _, b := range bounds {
		value, ok := found[b.field]
		if !ok || empty(value) || slices.Contains(b.takes, anything) {
			continue
		}
		text, err := json.Marshal(value.Interface())
		if err != nil {
			return fmt.Errorf("%s: %w", b.field, err)
		}
		if !slices.Contains(b.takes, string(text)) {
			errs = append(errs, fmt.Errorf("line %d: %s: %s is not supported: %s", line(b.field), b.field, text, b.why))
		}
	}
	return errors.Join(errs...)
}

// empty is what a field is that was left out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	if q, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok {
		return q.IsZero()
	}
	return v.IsZero()
}
