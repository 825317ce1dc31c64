package endpoint

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// protoMessage is what every type of k8s.io/api can do.
type protoMessage interface{ Marshal() ([]byte, error) }

// magic begins what Kubernetes encodes as protobuf: behind it stands a runtime.Unknown that names the type (field 1) and holds the message (field 2).
const magic = "k8s\x00"

// noContent ends it: its encoding and its media type (fields 3 and 4) are empty.
var noContent = []byte{3<<3 | 2, 0, 4<<3 | 2, 0}

// envelopeHead is the part of an envelope that a type alone decides: all before the message.
func envelopeHead(apiVersion, kindName string) []byte {
	return appendField([]byte(magic), 1, appendField(appendField(nil, 1, []byte(apiVersion)), 2, []byte(kindName)))
}

// envelope wraps a protobuf message in Kubernetes' frame.
func envelope(apiVersion, kindName string, raw []byte) []byte {
	head := envelopeHead(apiVersion, kindName)
	whole := make([]byte, 0, len(head)+headSize(len(raw))+len(raw)+len(noContent))
	return append(appendField(append(whole, head...), 2, raw), noContent...)
}

// fragment is an object's encoding without its type: what items of lists look like, and what everything else is assembled around.
func fragment(obj any, media string) ([]byte, error) {
	if media == mediaProtobuf {
		message, ok := obj.(protoMessage)
		if !ok {
			return nil, notAcceptable()
		}
		return message.Marshal()
	}
	return json.Marshal(obj)
}

// typed completes a fragment to an object of its own.
func typed(fragment []byte, gvk schema.GroupVersionKind, media string) ([]byte, error) {
	apiVersion := gvk.GroupVersion().String()
	if media == mediaProtobuf {
		return envelope(apiVersion, gvk.Kind, fragment), nil
	}
	whole := make([]byte, 0, len(fragment)+len(gvk.Kind)+len(apiVersion)+len(`{"kind":"","apiVersion":"",`)+1) // and a newline
	whole = append(whole, `{"kind":"`...)
	whole = append(whole, gvk.Kind...)
	whole = append(whole, `","apiVersion":"`...)
	whole = append(whole, apiVersion...)
	whole = append(whole, '"')
	if len(fragment) > 2 { // more than {}
		whole = append(whole, ',')
	}
	return append(whole, fragment[1:]...), nil
}

// encoding is the key of this call's fragments in a media type; all but protobuf begin as JSON.
func (c *call) encoding(media string) watchcache.EncodingKey {
	if media != mediaProtobuf {
		media = mediaJSON
	}
	return watchcache.EncodingKey{Version: c.kind.Group + "/" + c.version.Name, MediaType: media}
}

// cachedFragment encodes a cache entry once for each version and media type.
func (c *call) cachedFragment(o *watchcache.Object, key watchcache.EncodingKey) ([]byte, error) {
	return o.Encoding(key, func() ([]byte, error) {
		obj, err := c.fromHub(o.Decoded.(kind.Object))
		if err != nil {
			return nil, err
		}
		return fragment(withoutType(obj), key.MediaType)
	})
}

// withoutType returns the object itself when it carries no type, else a copy without.
func withoutType(obj kind.Object) kind.Object {
	if obj.GetObjectKind().GroupVersionKind().Empty() {
		return obj
	}
	return withType(obj, schema.GroupVersionKind{})
}

// withType is a shallow copy that carries the type.
func withType(obj kind.Object, gvk schema.GroupVersionKind) kind.Object {
	v := reflect.ValueOf(obj).Elem()
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	copied := c.Interface().(kind.Object)
	copied.GetObjectKind().SetGroupVersionKind(gvk)
	return copied
}

// respond sends one object in the accepted form.
func (c *call) respond(code int, obj kind.Object) error {
	f, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	return c.respondAs(code, obj, f)
}

func (c *call) respondAs(code int, obj kind.Object, f form) error {
	if f.as != "" {
		return c.respondTransformed(code, []kind.Object{obj}, f)
	}
	served, err := c.fromHub(obj)
	if err != nil {
		return err
	}
	raw, err := fragment(withoutType(served), f.media)
	if err != nil {
		return err
	}
	body, err := typed(raw, c.gvk(), f.media)
	if err != nil {
		return err
	}
	return send(c.w, code, body, f)
}

// RespondOther sends an object that is not the resource's own: Scale, Status, TokenReview, ...
func RespondOther(w http.ResponseWriter, r *http.Request, code int, obj runtime.Object, gvk schema.GroupVersionKind) error {
	f, err := negotiate(r, false)
	if err != nil {
		return err
	}
	obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	raw, err := fragment(obj, f.media)
	if err != nil {
		return err
	}
	body, err := typed(raw, gvk, f.media)
	if err != nil {
		return err
	}
	return send(w, code, body, f)
}

// send writes the answer, as YAML or indented if that was asked for.
func send(w http.ResponseWriter, code int, body []byte, f form) error {
	switch {
	case f.media == mediaYAML:
		converted, err := yaml.JSONToYAML(body)
		if err != nil {
			return err
		}
		body = converted
	case f.media == mediaJSON && f.pretty:
		pretty, err := json.MarshalIndent(json.RawMessage(body), "", "  ")
		if err != nil {
			return err
		}
		body = append(pretty, '\n')
	case f.media == mediaJSON:
		body = append(body, '\n')
	}
	announce(w, f)
	if f.gzip && len(body) >= compressFrom {
		writeCompressed(w, code, func(w io.Writer) { _, _ = w.Write(body) })
		return nil
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // when the client went away, nobody is left to tell
	return nil
}

// announce sets the headers of an answer.
func announce(w http.ResponseWriter, f form) {
	w.Header().Set("Content-Type", f.media)
	w.Header().Set("Cache-Control", "no-cache, private")
}
