package endpoint

import (
	"encoding/json"
	"fmt"
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

// envelope wraps a protobuf message in Kubernetes' frame: four bytes of magic and a runtime.Unknown that names the type.
func envelope(apiVersion, kindName string, raw []byte) ([]byte, error) {
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kindName}, Raw: raw}
	body, err := unknown.Marshal()
	if err != nil {
		return nil, err
	}
	return append([]byte("k8s\x00"), body...), nil
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
		return envelope(apiVersion, gvk.Kind, fragment)
	}
	head := fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q`, gvk.Kind, apiVersion)
	if len(fragment) > 2 { // more than {}
		head = append(head, ',')
	}
	return append(head, fragment[1:]...), nil
}

// cachedFragment encodes a cache entry once for each version and media type.
func (c *call) cachedFragment(o *watchcache.Object, media string) ([]byte, error) {
	if media != mediaProtobuf {
		media = mediaJSON
	}
	return o.Encoding(watchcache.EncodingKey{Version: c.kind.Group + "/" + c.version.Name, MediaType: media}, func() ([]byte, error) {
		obj, err := c.fromHub(o.Decoded.(kind.Object))
		if err != nil {
			return nil, err
		}
		return fragment(withoutType(obj), media)
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
	w.Header().Set("Content-Type", f.media)
	w.Header().Set("Cache-Control", "no-cache, private")
	if f.gzip && len(body) >= compressFrom {
		writeCompressed(w, code, body)
		return nil
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // when the client went away, nobody is left to tell
	return nil
}
