package schema

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// text holds what only the sources of the types tell, sorted by package and type: a line "=PACKAGE.TYPE" for each type, then one per
// field (or value of an enum) with its facts behind tabs. It stays text: a lookup is a search, and nothing of it lives on the heap.
//
//go:embed facts.txt
var text string

// section returns the head line's facts and the following lines of a type; ok is false when there is nothing to tell.
func section(t reflect.Type) (head facts, lines string, ok bool) {
	key := "\n=" + t.PkgPath() + "." + t.Name()
	for rest := text; ; {
		at := strings.Index(rest, key)
		if at < 0 {
			return "", "", false
		}
		rest = rest[at+len(key):]
		if rest[0] == '\n' || rest[0] == '\t' {
			line, after, _ := strings.Cut(rest, "\n")
			if end := strings.Index("\n"+after, "\n="); end >= 0 {
				after = after[:end]
			}
			return facts(line), after, true
		}
	}
}

// facts of one type or field: tab-separated words, some with a value behind an equals sign.
type facts string

// fieldFacts finds a field's facts in the lines of its type.
func fieldFacts(lines, name string) facts {
	for line := range strings.Lines(lines) {
		if rest, ok := strings.CutPrefix(line, name); ok && rest != "" && rest[0] == '\t' {
			return facts(strings.TrimSuffix(rest, "\n"))
		}
	}
	return ""
}

// value of a fact; ok tells whether it stands there.
func (f facts) value(name string) (value string, ok bool) {
	for word := range strings.SplitSeq(string(f), "\t") {
		if key, value, _ := strings.Cut(word, "="); key == name {
			return value, true
		}
	}
	return "", false
}

func (f facts) has(name string) bool {
	_, ok := f.value(name)
	return ok
}

// description is the fact's, where it differs from what SwaggerDoc says.
func (f facts) description(swagger string) string {
	quoted, ok := f.value("doc")
	if !ok {
		return swagger
	}
	doc, err := strconv.Unquote(quoted)
	if err != nil {
		return swagger
	}
	return doc
}

// defaultValue is the decoded default, nil for none.
func (f facts) defaultValue() any {
	encoded, ok := f.value("default")
	if !ok {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(encoded), &value); err != nil {
		return nil
	}
	return value
}

// extensions are the x-kubernetes- extensions of a type or field.
func (f facts) extensions(into map[string]any) {
	for word := range strings.SplitSeq(string(f), "\t") {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case name == "list":
			into["x-kubernetes-list-type"] = value
		case name == "map":
			into["x-kubernetes-map-type"] = value
		case name == "key":
			keys := []any{}
			for _, key := range strings.Split(value, ",") {
				keys = append(keys, key)
			}
			into["x-kubernetes-list-map-keys"] = keys
		case name == "union":
			into["x-kubernetes-unions"] = []any{union(value)}
		case strings.HasPrefix(name, "x-kubernetes-"):
			into[name] = value
		}
	}
}

// union reads DISCRIMINATOR;FIELD:VALUE;...
func union(fact string) map[string]any {
	words := strings.Split(fact, ";")
	members := map[string]any{}
	for _, word := range words[1:] {
		field, value, _ := strings.Cut(word, ":")
		members[field] = value
	}
	made := map[string]any{"fields-to-discriminateBy": members}
	if words[0] != "" {
		made["discriminator"] = words[0]
	}
	return made
}

// Enum returns the values of a string type and the description of each, sorted; nothing for a type that is no enum.
func Enum(t reflect.Type) (values, descriptions []string) {
	if t.Kind() != reflect.String || t.PkgPath() == "" {
		return nil, nil
	}
	head, lines, ok := section(t)
	if !ok || !head.has("enum") {
		return nil, nil
	}
	for line := range strings.Lines(lines) {
		value, description, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		values, descriptions = append(values, value), append(descriptions, description)
	}
	return values, descriptions
}
