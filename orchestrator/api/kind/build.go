package kind

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Served is a version whose Go type is the hub type, made from empty prototypes.
func Served(name string, object Object, list runtime.Object) Version {
	return Version{
		Name:    name,
		New:     func() Object { return object.DeepCopyObject().(Object) },
		NewList: func() runtime.Object { return list.DeepCopyObject() },
	}
}

// Warning marks a version as deprecated: every request for it gets the text.
func (v Version) Warning(text string) Version {
	v.Deprecated = text
	return v
}

// Stored is a place below /registry/ for the hub type of an empty prototype.
func Stored(prefix string, version schema.GroupVersion, object Object) Storage {
	return Storage{Prefix: prefix, Version: version, New: func() Object { return object.DeepCopyObject().(Object) }}
}

// Table reads columns from a line such as "Name;Desired:integer;Images*;Age": a star marks a column of -o wide. docs describes them by name.
func Table(line string, docs map[string]string) []Column {
	var columns []Column
	for _, part := range strings.Split(line, ";") {
		column := Column{Type: "string"}
		if rest, wide := strings.CutSuffix(part, "*"); wide {
			part, column.Priority = rest, 1
		}
		column.Name = part
		if name, typ, typed := strings.Cut(part, ":"); typed {
			column.Name, column.Type = name, typ
		}
		column.Description = docs[column.Name]
		columns = append(columns, standard(column))
	}
	return columns
}

// standard gives the columns of metadata their usual form.
func standard(column Column) Column {
	switch column.Name {
	case NameColumn.Name:
		column.Format, column.Description = NameColumn.Format, NameColumn.Description
	case AgeColumn.Name, "Created At":
		column.Description = AgeColumn.Description
	}
	return column
}

// Status is a status subresource with the given rules.
func Status(update Rules) Subresource {
	return Subresource{Verbs: []string{"get", "patch", "update"}, Update: &update}
}

// Connect is a subresource that the apiserver's handlers serve by themselves: it is listed for discovery.
func Connect(body schema.GroupVersionKind, verbs ...string) Subresource {
	return Subresource{Kind: body, Verbs: verbs}
}

// Scaled is a scale subresource.
func Scaled(scale Scale) Subresource {
	return Subresource{
		Kind:  schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"},
		Verbs: []string{"get", "patch", "update"},
		Scale: &scale,
	}
}
