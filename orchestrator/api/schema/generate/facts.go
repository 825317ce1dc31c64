package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/types"
)

// reader turns types into lines of facts.
type reader struct {
	universe types.Universe
	enums    map[types.Name]*enum
}

// packageFacts are the lines of one package: its structs, then its enums.
func (r *reader) packageFacts(p *types.Package) ([]string, error) {
	swagger, err := swaggerDocs(p.Dir)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, t := range structs(p) {
		found, err := r.structFacts(t, swagger[t.Name.Name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		lines = append(lines, found...)
	}
	return append(lines, r.enumFacts(p.Path)...), nil
}

// structFacts is the line of a type, and one per field of which there is more to tell than Go reflection knows.
func (r *reader) structFacts(t *types.Type, swagger map[string]string) ([]string, error) {
	head := "=" + t.Name.Package + "." + t.Name.Name
	if swagger == nil {
		head += "\tundocumented"
	}
	head += r.commonFacts(t.CommentLines, swagger[""]) + unionFact(t)
	var fields []string
	for i := range t.Members {
		m := &t.Members[i]
		name, shown := jsonName(m)
		if !shown {
			continue
		}
		facts, err := r.fieldFacts(t, m, swagger[name])
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", m.Name, err)
		}
		if facts != "" {
			fields = append(fields, name+facts)
		}
	}
	if len(fields) == 0 && head == "="+t.Name.Package+"."+t.Name.Name {
		return nil, nil
	}
	return append([]string{head}, fields...), nil
}

// fieldFacts of one field, each behind a tab.
func (r *reader) fieldFacts(parent *types.Type, m *types.Member, swagger string) (string, error) {
	tags := gengo.ExtractCommentTags("+", m.CommentLines)
	var out strings.Builder
	omitted := strings.Contains(reflect.StructTag(m.Tags).Get("json"), ",omitempty")
	switch {
	case tags["required"] != nil && omitted:
		out.WriteString("\trequired")
	case tags["optional"] != nil && !omitted:
		out.WriteString("\toptional")
	}
	value, err := r.defaultOf(m.CommentLines, parent.Name.Package, m.Type)
	if err != nil {
		return "", err
	}
	if value != "" {
		out.WriteString("\tdefault=" + value)
	}
	out.WriteString(r.commonFacts(m.CommentLines, swagger))
	return out.String(), nil
}

// extensions are the markers that become x-kubernetes- extensions, by the name of the fact.
var extensions = []struct{ marker, fact string }{
	{"listType", "list"}, {"listMapKey", "key"}, {"mapType", "map"}, {"structType", "map"},
}

// commonFacts are those that types and fields share.
func (r *reader) commonFacts(comments []string, swagger string) string {
	tags := gengo.ExtractCommentTags("+", comments)
	var out strings.Builder
	for _, e := range extensions {
		if values := tags[e.marker]; values != nil {
			out.WriteString("\t" + e.fact + "=" + strings.Join(values, ","))
		}
	}
	for _, value := range tags["k8s:openapi-gen"] {
		switch {
		case value == "false":
			out.WriteString("\thidden")
		case strings.HasPrefix(value, "x-kubernetes-"):
			name, text, _ := strings.Cut(value, ":")
			out.WriteString("\t" + name + "=" + text)
		}
	}
	if doc := description(comments); doc != swagger {
		out.WriteString("\tdoc=" + strconv.Quote(doc))
	}
	for _, rule := range rules(comments) {
		out.WriteString("\t" + rule)
	}
	return out.String()
}

// irrelevant markers steer other generators.
var irrelevant = regexp.MustCompile(`^\+k8s:(deepcopy-gen|prerelease-lifecycle-gen|conversion-gen|openapi|protobuf|defaulter-gen|validation-gen|optional$|required$|enum$)`)

// rules are the markers of declarative validation, as they are written.
func rules(comments []string) []string {
	var found []string
	for _, line := range comments {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "+k8s:") && !irrelevant.MatchString(line) {
			found = append(found, strings.ReplaceAll(line, "\t", " "))
		}
	}
	return found
}

// defaultOf is the JSON of a field's default: its own marker's, or else that of its type.
func (r *reader) defaultOf(comments []string, pkg string, t *types.Type) (string, error) {
	for {
		if values := gengo.ExtractCommentTags("+", comments)["default"]; len(values) > 0 && values[0] != "" {
			return r.literal(values[0], pkg)
		}
		if t == nil {
			return "", nil
		}
		comments, pkg = t.CommentLines, t.Name.Package
		switch t.Kind {
		case types.Pointer:
			t = t.Elem
		case types.Alias:
			t = t.Underlying
		default:
			t = nil
		}
	}
}

var reference = regexp.MustCompile(`^ref\((.+)\)$`)

// literal resolves ref(CONSTANT) and returns compact JSON.
func (r *reader) literal(text, pkg string) (string, error) {
	if match := reference.FindStringSubmatch(text); match != nil {
		name := types.ParseFullyQualifiedName(match[1])
		if name.Package == "" {
			name.Package = pkg
		}
		constant := r.universe.Constant(name)
		if constant.ConstValue == nil {
			return "", fmt.Errorf("default refers to %s, which has no value", name)
		}
		encoded, err := json.Marshal(*constant.ConstValue)
		return string(encoded), err
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "", fmt.Errorf("default %s: %w", text, err)
	}
	encoded, err := json.Marshal(value)
	return string(encoded), err
}

// jsonName of a field; inlined and unnamed ones are not shown.
func jsonName(m *types.Member) (string, bool) {
	tag, tagged := reflect.StructTag(m.Tags).Lookup("json")
	if !tagged {
		return m.Name, m.Name[0] >= 'A' && m.Name[0] <= 'Z' && !m.Embedded
	}
	name, _, _ := strings.Cut(tag, ",")
	return name, name != "" && name != "-"
}
