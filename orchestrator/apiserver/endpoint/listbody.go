package endpoint

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
)

// listBody is an encoded list: the cached encodings of its items and what stands around them. It is put together while it is sent: one of
// 5,000 objects takes megabytes, and copying them costs several times what sending them does.
type listBody struct {
	head, tail []byte
	items      [][]byte
	// fields: each item is a protobuf field; in JSON they are separated by commas.
	fields bool
}

// body of a page in a media type; YAML begins as JSON.
func (c *call) body(p *page, media string) (*listBody, error) {
	items, key := make([][]byte, len(p.items)), c.encoding(media)
	for i, o := range p.items {
		raw, err := c.cachedFragment(o, key)
		if err != nil {
			return nil, err
		}
		items[i] = raw
	}
	if media == mediaProtobuf {
		return c.protobufBody(p, items)
	}
	return c.jsonBody(p, items)
}

func (c *call) jsonBody(p *page, items [][]byte) (*listBody, error) {
	metadata, err := json.Marshal(p.metadata)
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q,"metadata":%s,"items":[`, c.listKind(), c.gvk().GroupVersion(), metadata)
	return &listBody{head: head, items: items, tail: []byte("]}")}, nil
}

// protobufBody: in every list type of Kubernetes, field 1 is the metadata and field 2 repeats the items. The list is field 2 of its envelope.
func (c *call) protobufBody(p *page, items [][]byte) (*listBody, error) {
	metadata, err := p.metadata.Marshal()
	if err != nil {
		return nil, err
	}
	list := &listBody{head: appendField(nil, 1, metadata), items: items, fields: true}
	list.head = append(appendHead(envelopeHead(c.gvk().GroupVersion().String(), c.listKind()), 2, list.size()), list.head...)
	list.tail = noContent
	return list, nil
}

// listKind is the kind of the version's list type.
func (c *call) listKind() string { return reflect.TypeOf(c.version.NewList()).Elem().Name() }

// before is what stands in front of an item.
func (l *listBody) before(to []byte, i int) []byte {
	switch {
	case l.fields:
		return appendHead(to, 2, len(l.items[i]))
	case i > 0:
		return append(to, ',')
	}
	return to
}

// size in bytes.
func (l *listBody) size() int {
	n := len(l.head) + len(l.tail)
	var scratch [16]byte
	for i, item := range l.items {
		n += len(l.before(scratch[:0], i)) + len(item)
	}
	return n
}

// writers are reused. What they hold back becomes a few frames of HTTP/2.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}

// writeTo sends the list. When the client goes away, the rest is left out.
func (l *listBody) writeTo(w io.Writer) {
	b := writers.Get().(*bufio.Writer)
	defer writers.Put(b)
	b.Reset(w)
	defer b.Reset(nil)
	_, err := b.Write(l.head)
	var scratch [16]byte
	for i := 0; i < len(l.items) && err == nil; i++ {
		_, _ = b.Write(l.before(scratch[:0], i))
		_, err = b.Write(l.items[i])
	}
	_, _ = b.Write(l.tail)
	_ = b.Flush()
}

// sendList writes the answer, as YAML or indented if that was asked for.
func sendList(w http.ResponseWriter, code int, list *listBody, f form) error {
	if f.media == mediaYAML || f.media == mediaJSON && f.pretty {
		var whole bytes.Buffer
		list.writeTo(&whole)
		return send(w, code, whole.Bytes(), f)
	}
	if f.media == mediaJSON {
		list.tail = append(list.tail, '\n')
	}
	announce(w, f)
	if f.gzip && list.size() >= compressFrom {
		writeCompressed(w, code, list.writeTo)
		return nil
	}
	w.WriteHeader(code)
	list.writeTo(w)
	return nil
}

// appendField writes a length-delimited protobuf field.
func appendField(to []byte, number int, value []byte) []byte {
	return append(appendHead(to, number, len(value)), value...)
}

// appendHead writes the number of such a field, and its length.
func appendHead(to []byte, number, size int) []byte {
	to = append(to, byte(number<<3|2))
	length := uint64(size)
	for length >= 0x80 {
		to = append(to, byte(length)|0x80)
		length >>= 7
	}
	return append(to, byte(length))
}

// headSize is how much that is.
func headSize(size int) int {
	n := 2
	for ; size >= 0x80; size >>= 7 {
		n++
	}
	return n
}
