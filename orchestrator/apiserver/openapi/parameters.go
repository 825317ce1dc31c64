package openapi

import (
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kube-openapi/pkg/common"
)

const prettyText = "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget)."

var (
	pretty    = parameter{name: "pretty", description: prettyText, kind: common.QueryParameterKind, data: "string"}
	namespace = parameter{name: "namespace", description: "object name and auth scope, such as for teams and projects", kind: common.PathParameterKind, data: "string", required: true}
	rest      = parameter{name: "path", description: "path to the resource", kind: common.PathParameterKind, data: "string", required: true}
)

func nameOf(kind string) parameter {
	return parameter{name: "name", description: "name of the " + kind, kind: common.PathParameterKind, data: "string", required: true}
}

func body(required bool) parameter {
	return parameter{name: "body", kind: common.BodyParameterKind, required: required}
}

// documented is an options type that tells what its fields mean.
type documented interface{ SwaggerDoc() map[string]string }

// query are the query parameters that an options type is decoded from: its simple fields and lists of them, described by itself.
func query(options documented, without ...string) []parameter {
	docs := options.SwaggerDoc()
	skip := map[string]bool{}
	for _, name := range without {
		skip[name] = true
	}
	var list []parameter
	t := reflect.TypeOf(options)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		data := dataType(f.Type)
		if name == "" || name == "-" || data == "" || skip[name] {
			continue
		}
		list = append(list, parameter{name: name, description: docs[name], kind: common.QueryParameterKind, data: data})
	}
	return list
}

// dataType of a query parameter; empty for what is no simple value.
func dataType(t reflect.Type) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "integer"
	}
	return ""
}

// collectionDeletion are the parameters of deleting a collection: which objects, and how.
func collectionDeletion() []parameter {
	list := query(metav1.ListOptions{}, "watch", "allowWatchBookmarks")
	return append(list, query(metav1.DeleteOptions{})...)
}
