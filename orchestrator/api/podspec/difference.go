package podspec

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/pmezard/go-difflib/difflib"
	corev1 "k8s.io/api/core/v1"
)

// difference shows how two specs, or containers, differ, in the form that stock ends its refusal of a changed pod with: a unified diff of all
// fields, set or not.
func difference[T any](old, now *T) string {
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: difflib.SplitLines(shown(old)), B: difflib.SplitLines(shown(now)), Context: 3})
	if err != nil {
		return err.Error() // writing to memory: never
	}
	return diff
}

// shown is a value as JSON by the names of Go: stock's internal types carry no JSON names and leave nothing out.
func shown[T any](value *T) string {
	var compact, indented bytes.Buffer
	write(&compact, reflect.ValueOf(value))
	if err := json.Indent(&indented, compact.Bytes(), "", " "); err != nil {
		return compact.String()
	}
	return indented.String()
}

var corePackage = reflect.TypeFor[corev1.PodSpec]().PkgPath()

// write a value. Only types of the core group have an internal twin; all others are what their own encoding says.
func write(w *bytes.Buffer, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		write(w, v.Elem())
	case v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct:
		w.WriteByte('[')
		for i := range v.Len() {
			separate(w, i > 0)
			write(w, v.Index(i))
		}
		w.WriteByte(']')
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == corePackage:
		w.WriteByte('{')
		writeFields(w, v, false)
		w.WriteByte('}')
	default:
		data, err := json.Marshal(v.Interface())
		if err != nil {
			data = []byte("null")
		}
		w.Write(data)
	}
}

// writeFields of a struct, those of embedded ones among them; it reports whether any was written.
func writeFields(w *bytes.Buffer, v reflect.Value, some bool) bool {
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous {
			some = writeFields(w, v.Field(i), some)
			continue
		}
		separate(w, some)
		w.WriteString(`"` + v.Type().Field(i).Name + `":`)
		write(w, v.Field(i))
		some = true
	}
	return some
}

func separate(w *bytes.Buffer, needed bool) {
	if needed {
		w.WriteByte(',')
	}
}
