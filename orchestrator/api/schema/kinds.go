package schema

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	typeMeta = reflect.TypeFor[metav1.TypeMeta]()
	metaPath = typeMeta.PkgPath()
	// everywhere are the types that every group version has under its own name.
	everywhere = []reflect.Type{reflect.TypeFor[metav1.DeleteOptions](), reflect.TypeFor[metav1.WatchEvent]()}
)

// Kinds are the group versions in which clients may meet a type as a whole object: none for the parts of objects. They are sorted.
func Kinds(t reflect.Type) []schema.GroupVersionKind {
	switch {
	case slices.Contains(everywhere, t):
		var kinds []schema.GroupVersionKind
		for _, g := range groups() {
			kinds = append(kinds, g.version.WithKind(t.Name()))
		}
		slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int {
			return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version))
		})
		return kinds
	case !isKind(t):
		return nil
	case t.PkgPath() == metaPath:
		return []schema.GroupVersionKind{{Version: "v1", Kind: t.Name()}}
	}
	for _, g := range groups() {
		if g.path == t.PkgPath() {
			return []schema.GroupVersionKind{g.version.WithKind(t.Name())}
		}
	}
	return nil
}

// isKind: whole objects begin with apiVersion and kind.
func isKind(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Type == typeMeta {
			return true
		}
	}
	return false
}

type groupFact struct {
	path    string
	version schema.GroupVersion
}

// groups reads which package of the sources is which group version.
func groups() []groupFact {
	_, after, _ := strings.Cut(text, "\n=groups\n")
	var found []groupFact
	for line := range strings.Lines(after) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(words) != 3 || line[0] == '=' {
			break
		}
		found = append(found, groupFact{words[0], schema.GroupVersion{Group: words[1], Version: words[2]}})
	}
	return found
}
