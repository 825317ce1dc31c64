package objects

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// The codecs of stored bytes: protobuf in stock's envelope is what is written; JSON may have been written by others.
var (
	protobufCodec = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	jsonCodec     = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{})
)

// protobufPrefix begins every protobuf envelope.
var protobufPrefix = []byte("k8s\x00")

// Encode returns what is stored of an object: the storage version, without its resourceVersion, which is the key's revision.
func Encode(k *kind.Kind, obj kind.Object) ([]byte, error) {
	stored := shallow(obj)
	stored.SetResourceVersion("")
	stored.GetObjectKind().SetGroupVersionKind(k.Storage.Version.WithKind(k.Names.Kind))
	var buffer bytes.Buffer
	if err := protobufCodec.Encode(stored, &buffer); err != nil {
		return nil, fmt.Errorf("encode %s %s/%s: %w", k.Names.Kind, obj.GetNamespace(), obj.GetName(), err)
	}
	return buffer.Bytes(), nil
}

// shallow copies an object's own fields, so that type and metadata can be set without touching the original.
func shallow(obj kind.Object) kind.Object {
	v := reflect.ValueOf(obj).Elem()
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	return c.Interface().(kind.Object)
}

// Decode reads stored bytes into a new hub object that carries its revision.
func Decode(k *kind.Kind, data []byte, revision int64) (kind.Object, error) {
	obj, err := decode(k, data)
	if err == nil {
		obj.SetResourceVersion(strconv.FormatInt(revision, 10))
	}
	return obj, err
}

// decode leaves the revision out.
func decode(k *kind.Kind, data []byte) (kind.Object, error) {
	obj := k.Storage.New()
	gvk := k.Storage.Version.WithKind(k.Names.Kind)
	var codec runtime.Serializer = jsonCodec
	if bytes.HasPrefix(data, protobufPrefix) {
		codec = protobufCodec
	}
	if _, _, err := codec.Decode(data, &gvk, obj); err != nil {
		return nil, fmt.Errorf("decode a stored %s: %w", k.Names.Kind, err)
	}
	obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	normalise(k, obj)
	if k.Default != nil {
		k.Default(obj)
	}
	return obj, nil
}

// at is an object at a revision; what it points to is shared.
func at(obj kind.Object, revision int64) kind.Object {
	copied := shallow(obj)
	copied.SetResourceVersion(strconv.FormatInt(revision, 10))
	return copied
}

// normalise does what stock's round trip through its internal types does; it follows every decoding.
func normalise(k *kind.Kind, obj kind.Object) {
	if k.Normalise != nil {
		k.Normalise(obj)
	}
}

// Revision of an object read from the store; 0 when it has none.
func Revision(obj kind.Object) int64 {
	n, err := strconv.ParseInt(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
