package schema

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/api"
)

// TestFactsAreOfTheseModules fails when an API module moved and nobody ran go generate: the first line of the facts names what they were read from.
// A module whose types nothing here imports yet is not in our go.mod: it has to be of the release of those that are.
func TestFactsAreOfTheseModules(t *testing.T) {
	head, _, _ := strings.Cut(text, "\n")
	modules := regexp.MustCompile(`(k8s\.io/\S+) (v[0-9.]*[0-9])`).FindAllStringSubmatch(head, -1)
	if len(modules) < 4 {
		t.Fatalf("the facts do not say where they are from: %s", head)
	}
	ours, generator := required(t, "../../../go.mod"), required(t, "generate/go.mod")
	release := ours["k8s.io/api"]
	for _, m := range modules {
		name, version := m[1], m[2]
		used, imported := ours[name]
		if !imported {
			used = release
		}
		if version != used || version != generator[name] {
			t.Errorf("the facts are of %s %s, go.mod has %s, generate/go.mod %s: run go generate", name, version, used, generator[name])
		}
	}
}

// required are the versions in a go.mod, by module.
func required(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+) (v\S+)`).FindAllStringSubmatch(string(text), -1) {
		versions[m[1]] = m[2]
	}
	return versions
}

// TestFactsFitTheTypes: every field of which a fact tells exists, so that no fact is about a type as it was.
func TestFactsFitTheTypes(t *testing.T) {
	told := 0
	for _, known := range reachable() {
		_, lines, ok := section(known)
		if !ok || known.Kind() != reflect.Struct {
			continue
		}
		for line := range strings.Lines(lines) {
			name, _, _ := strings.Cut(line, "\t")
			if !hasField(known, name) {
				t.Errorf("%s has no field %s", known, name)
			}
			told++
		}
	}
	if told < 300 {
		t.Errorf("only %d facts are about types of the catalogue", told)
	}
}

// reachable are all struct types below the catalogue's kinds.
func reachable() []reflect.Type {
	var found []reflect.Type
	for _, t := range New(api.All()).kinds {
		found = append(found, t)
	}
	seen := map[reflect.Type]bool{}
	for i := 0; i < len(found); i++ {
		_, uses := Define(V3, found[i])
		for _, used := range uses {
			if !seen[used] {
				seen[used] = true
				found = append(found, used)
			}
		}
	}
	return found
}

func hasField(t reflect.Type, name string) bool {
	for i := range t.NumField() {
		tagged, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tagged == name {
			return true
		}
	}
	return false
}

func TestEnumsHaveTheirValues(t *testing.T) {
	type plainText string
	for _, row := range []struct {
		name string
		of   reflect.Type
		want string
	}{
		{"an enum", fieldType(t, "io.k8s.api.core.v1.ContainerPort", "Protocol"), "SCTP,TCP,UDP"},
		{"no enum", reflect.TypeFor[plainText](), ""},
		{"string", reflect.TypeFor[string](), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			values, _ := Enum(row.of)
			if got := strings.Join(values, ","); got != row.want {
				t.Errorf("values are %s, want %s", got, row.want)
			}
		})
	}
}

func fieldType(t *testing.T, definition, field string) reflect.Type {
	t.Helper()
	for _, known := range reachable() {
		if Name(known) == definition {
			if f, ok := known.FieldByName(field); ok {
				return f.Type
			}
		}
	}
	t.Fatalf("no field %s in %s", field, definition)
	return nil
}
