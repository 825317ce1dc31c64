package endpoint

import (
	"reflect"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// part is what a patch is about: the names of fields of the object, such as status. A patch is applied to these alone, since turning a whole
// object into JSON and back costs several times what is done to it. nil is a patch that may be about anything.
type part map[string]bool

// The fields of metadata that matter here.
const (
	metadataField      = "metadata"
	managedFieldsField = "managedFields"
)

// partOfMerge is what a merge patch, or a strategic one, is about. A directive ($patch) beside the fields is about all of them.
func partOfMerge(patch map[string]any) part {
	about := part{}
	for name, value := range patch {
		if strings.HasPrefix(name, "$") {
			return nil
		}
		if name == metadataField && !leavesOwners(value) {
			return nil
		}
		about[name] = true
	}
	return about
}

// leavesOwners tells whether a patch of metadata has nothing to say about managedFields, which are longer than the rest.
func leavesOwners(metadata any) bool {
	fields, ok := metadata.(map[string]any)
	for name := range fields {
		if name == managedFieldsField || strings.HasPrefix(name, "$") {
			return false
		}
	}
	return ok
}

// partOfOperations is what a JSON patch is about.
func partOfOperations(operations jsonpatch.Patch) part {
	about := part{}
	for _, o := range operations {
		path, err := o.Path()
		if err != nil {
			return nil
		}
		paths := []string{path}
		if from, err := o.From(); err == nil {
			paths = append(paths, from)
		}
		for _, path := range paths {
			field, ok := partOfPath(path)
			if !ok {
				return nil
			}
			about[field] = true
		}
	}
	return about
}

// partOfPath is the field to which a JSON pointer leads.
func partOfPath(path string) (string, bool) {
	steps := strings.Split(path, "/")
	if len(steps) < 2 || steps[0] != "" || steps[1] == "" || strings.Contains(steps[1], "~") {
		return "", false
	}
	if steps[1] == metadataField && (len(steps) == 2 || strings.Contains(steps[2], "~") || steps[2] == managedFieldsField) {
		return "", false
	}
	return steps[1], true
}

// of is an object with the part alone.
func (p part) of(obj, empty kind.Object) kind.Object {
	p.move(obj, empty, true)
	if p[metadataField] {
		empty.SetManagedFields(nil)
	}
	return empty
}

// complete adds everything else to the outcome of a patch.
func (p part) complete(patched, obj kind.Object) {
	p.move(obj, patched, false)
	if p[metadataField] {
		patched.SetManagedFields(obj.GetManagedFields())
	}
}

// move sets the fields that are in the part, or are not.
func (p part) move(from, to kind.Object, in bool) {
	source, target := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for name, i := range namesOf(source.Type()) {
		if p[name] == in {
			target.Field(i).Set(source.Field(i))
		}
	}
}

var fieldNames sync.Map // of reflect.Type to map[string]int

// namesOf are the fields of an object by the names in its JSON, but for the type.
func namesOf(t reflect.Type) map[string]int {
	if known, ok := fieldNames.Load(t); ok {
		return known.(map[string]int)
	}
	fields := map[string]int{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			fields[name] = i
		}
	}
	fieldNames.Store(t, fields)
	return fields
}
