package kind

import (
	"bytes"
	"encoding/json"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Untagged shows a value in an error as stock does: stock validates types of its own that have no JSON names, so its messages spell fields as
// Go does, and show those that are empty.
func Untagged(value any) json.Marshaler { return untagged{value} }

type untagged struct{ value any }

// MarshalJSON implements json.Marshaler.
func (u untagged) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	err := writeUntagged(&out, reflect.ValueOf(u.value))
	return out.Bytes(), err
}

func writeUntagged(out *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() {
		out.WriteString("null")
		return nil
	}
	if _, own := v.Interface().(json.Marshaler); own {
		return writePlain(out, v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return writeUntagged(out, v.Elem())
	case reflect.Struct:
		out.WriteByte('{')
		if err := writeFields(out, v, new(int)); err != nil {
			return err
		}
		out.WriteByte('}')
		return nil
	case reflect.Slice:
		return writeElements(out, v)
	}
	return writePlain(out, v)
}

func writePlain(out *bytes.Buffer, v reflect.Value) error {
	data, err := json.Marshal(v.Interface())
	out.Write(data)
	return err
}

func writeElements(out *bytes.Buffer, v reflect.Value) error {
	if v.IsNil() {
		out.WriteString("null")
		return nil
	}
	out.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeUntagged(out, v.Index(i)); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

// metaPackage holds the metadata, which have JSON names in stock's own types too.
var metaPackage = reflect.TypeFor[metav1.ObjectMeta]().PkgPath()

// writeInline writes the fields of an embedded struct by their JSON names.
func writeInline(out *bytes.Buffer, v reflect.Value, written *int) error {
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return err
	}
	if text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("{")), []byte("}")); len(text) == 0 {
		return nil
	}
	if *written > 0 {
		out.WriteByte(',')
	}
	*written++
	out.Write(text)
	return nil
}

// writeFields writes a struct's fields; those of an embedded one stand beside them. written counts, for the commas.
func writeFields(out *bytes.Buffer, v reflect.Value, written *int) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.PkgPath() == metaPackage {
			if err := writeInline(out, v.Field(i), written); err != nil {
				return err
			}
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			if err := writeFields(out, v.Field(i), written); err != nil {
				return err
			}
			continue
		}
		if *written > 0 {
			out.WriteByte(',')
		}
		*written++
		out.WriteString(`"` + f.Name + `":`)
		if err := writeUntagged(out, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}
