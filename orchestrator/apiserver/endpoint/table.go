package endpoint

import (
	"encoding/json"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// metaGVK is a kind of meta.k8s.io/v1.
func metaGVK(kindName string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: metav1.GroupName, Version: "v1", Kind: kindName}
}

// respondTransformed sends objects as a table, or as their metadata.
func (c *call) respondTransformed(code int, objs []kind.Object, f form) error {
	body, err := c.transformed(objs, f, metav1.ListMeta{ResourceVersion: objs[0].GetResourceVersion()}, true)
	if err != nil {
		return err
	}
	return send(c.w, code, body, f)
}

// respondList sends a list as a table, or as its objects' metadata.
func (c *call) respondList(p *page, f form) error {
	objs := make([]kind.Object, len(p.items))
	for i, o := range p.items {
		objs[i] = objects.Of(o)
	}
	var body []byte
	var err error
	if f.as == "Table" {
		body, err = c.transformed(objs, f, p.metadata, true)
	} else {
		list := &metav1.PartialObjectMetadataList{ListMeta: p.metadata, Items: []metav1.PartialObjectMetadata{}}
		for _, obj := range objs {
			list.Items = append(list.Items, *partial(obj))
			list.Items[len(list.Items)-1].TypeMeta = metav1.TypeMeta{APIVersion: c.gvk().GroupVersion().String(), Kind: c.kind.Names.Kind}
		}
		body, err = encodeMeta(list, "PartialObjectMetadataList", f.media)
	}
	if err != nil {
		return err
	}
	return send(c.w, 200, body, f)
}

// transformed encodes objects as one table, or the first one's metadata.
func (c *call) transformed(objs []kind.Object, f form, metadata metav1.ListMeta, columns bool) ([]byte, error) {
	if f.as != "Table" {
		return encodeMeta(partial(objs[0]), "PartialObjectMetadata", f.media)
	}
	table := &metav1.Table{ListMeta: metadata, Rows: []metav1.TableRow{}}
	if columns {
		table.ColumnDefinitions = c.columnDefinitions()
	}
	for _, obj := range objs {
		row, err := c.row(obj)
		if err != nil {
			return nil, err
		}
		table.Rows = append(table.Rows, row)
	}
	return encodeMeta(table, "Table", f.media)
}

func (c *call) columnDefinitions() []metav1.TableColumnDefinition {
	definitions := make([]metav1.TableColumnDefinition, 0, len(c.kind.Columns))
	for _, column := range c.columns() {
		definitions = append(definitions, metav1.TableColumnDefinition(column))
	}
	return definitions
}

// columns of the kind; a kind without any shows name and creation.
func (c *call) columns() []kind.Column {
	if len(c.kind.Columns) > 0 {
		return c.kind.Columns
	}
	created := kind.AgeColumn
	created.Name, created.Type = "Created At", "date"
	return []kind.Column{kind.NameColumn, created}
}

func (c *call) row(obj kind.Object) (metav1.TableRow, error) {
	row := metav1.TableRow{}
	if c.kind.Cells != nil {
		row.Cells = c.kind.Cells(obj, c.Now())
	} else {
		row.Cells = []any{obj.GetName(), obj.GetCreationTimestamp().UTC().Format("2006-01-02T15:04:05Z")}
	}
	switch metav1.IncludeObjectPolicy(c.r.URL.Query().Get("includeObject")) {
	case metav1.IncludeNone:
	case metav1.IncludeObject:
		served, err := c.fromHub(obj)
		if err != nil {
			return row, err
		}
		row.Object = runtime.RawExtension{Object: withType(served, c.gvk())}
	default:
		metadata := partial(obj)
		metadata.TypeMeta = metav1.TypeMeta{APIVersion: metaGVK("").GroupVersion().String(), Kind: "PartialObjectMetadata"}
		row.Object = runtime.RawExtension{Object: metadata}
	}
	raw, err := json.Marshal(row.Object.Object)
	if row.Object.Object != nil {
		row.Object = runtime.RawExtension{Raw: raw}
	}
	return row, err
}

// partial is an object's metadata alone.
func partial(obj kind.Object) *metav1.PartialObjectMetadata {
	p := &metav1.PartialObjectMetadata{}
	if accessor, ok := obj.(metav1.ObjectMetaAccessor); ok {
		if m, ok := accessor.GetObjectMeta().(*metav1.ObjectMeta); ok {
			p.ObjectMeta = *m
		}
	}
	return p
}

func encodeMeta(obj any, kindName, media string) ([]byte, error) {
	if _, isTable := obj.(*metav1.Table); isTable && media == mediaProtobuf {
		return nil, notAcceptable() // tables have no protobuf form
	}
	raw, err := fragment(obj, media)
	if err != nil {
		return nil, err
	}
	return typed(raw, metaGVK(kindName), media)
}

// withVersion is a shallow copy that carries another version.
func withVersion(obj kind.Object, revision int64) kind.Object {
	copied := withType(obj, obj.GetObjectKind().GroupVersionKind())
	copied.SetResourceVersion(strconv.FormatInt(revision, 10))
	return copied
}

// encodeEvent encodes the object of a watch event in the stream's form. Only the first table of a stream defines the columns.
func (s *stream) encodeEvent(obj kind.Object) ([]byte, error) {
	if s.form.as != "" {
		first := !s.columnsSent
		s.columnsSent = true
		return s.transformed([]kind.Object{obj}, s.form, metav1.ListMeta{ResourceVersion: obj.GetResourceVersion()}, first)
	}
	served, err := s.fromHub(obj)
	if err != nil {
		return nil, err
	}
	raw, err := fragment(withoutType(served), s.form.media)
	if err != nil {
		return nil, err
	}
	return typed(raw, s.gvk(), s.form.media)
}

// encodeBookmark encodes an object of the served version that holds nothing but its version.
func (s *stream) encodeBookmark(obj kind.Object) ([]byte, error) {
	switch {
	case s.form.as == "Table":
		table := &metav1.Table{ListMeta: metav1.ListMeta{ResourceVersion: obj.GetResourceVersion()}, Rows: []metav1.TableRow{}}
		row := partial(obj)
		row.TypeMeta = metav1.TypeMeta{APIVersion: metaGVK("").GroupVersion().String(), Kind: "PartialObjectMetadata"}
		raw, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{}, Object: runtime.RawExtension{Raw: raw}})
		return encodeMeta(table, "Table", s.form.media)
	case s.form.as != "":
		return encodeMeta(partial(obj), "PartialObjectMetadata", s.form.media)
	}
	raw, err := fragment(obj, s.form.media)
	if err != nil {
		return nil, err
	}
	return typed(raw, s.gvk(), s.form.media)
}
