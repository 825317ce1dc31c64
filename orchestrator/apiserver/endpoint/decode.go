package endpoint

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// maxBody of a request, in bytes (stock's limit for resource requests).
const maxBody = 3 << 20

// readBody reads the whole body, up to the limit.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &large), errors.Is(err, os.ErrDeadlineExceeded), r.Context().Err() != nil:
		return nil, fmt.Errorf("read the body: %w", errors.Join(err, r.Context().Err()))
	}
	return nil, apierrors.NewBadRequest(err.Error())
}

// fieldValidation of a request: what happens to unknown and duplicate fields.
type fieldValidation string

const (
	ignoreFields fieldValidation = "Ignore"
	warnOfFields fieldValidation = "Warn"
	strictFields fieldValidation = "Strict"
)

// validationOf reads the query; Warn is the default.
func validationOf(r *http.Request) fieldValidation {
	if v := r.URL.Query().Get("fieldValidation"); v != "" {
		return fieldValidation(v)
	}
	return warnOfFields
}

// decodeBody reads the request's body as the given kind.
func (c *call) decodeBody(into runtime.Object, want schema.GroupVersionKind) error {
	body, media, err := c.readBody()
	if err != nil {
		return err
	}
	return c.decode(body, media, into, want)
}

// readBody returns the request's body and its media type.
func (c *call) readBody() (body []byte, media string, err error) {
	if body, err = readBody(c.r); err != nil {
		return nil, "", err
	}
	media = mediaJSON
	if header := c.r.Header.Get("Content-Type"); header != "" {
		if media, _, err = mime.ParseMediaType(header); err != nil {
			return nil, "", unsupportedMedia("the body of the request was in an unknown format - accepted media types include", mediaJSON, mediaYAML, mediaProtobuf)
		}
	}
	return body, media, nil
}

func (c *call) decode(body []byte, media string, into runtime.Object, want schema.GroupVersionKind) error {
	codec, err := codecOf(media)
	if err != nil {
		return err
	}
	_, got, err := codec.Decode(body, &want, into)
	if err != nil && (got == nil || got.Kind == "") {
		return unrecognized(want, body, err)
	}
	if err = c.strictness(err); err != nil {
		said := want
		if got != nil {
			said = *got
		}
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", said.Kind, said.Version, want.Kind, err))
	}
	if got != nil && *got != want {
		return wrongKind(*got, want)
	}
	into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}

// strictness turns what strict decoding found into an error, a warning or nothing, as the request asks.
func (c *call) strictness(err error) error {
	strict, ok := runtime.AsStrictDecodingError(err)
	if !ok {
		return err
	}
	switch validationOf(c.r) {
	case strictFields:
		return err
	case warnOfFields:
		for _, e := range strict.Errors() {
			c.warnOf(e.Error())
		}
	}
	return nil
}

// warnOf warns of what strict decoding found: of YAML that is a list of lines behind a title.
func (c *call) warnOf(found string) {
	lines, isYAML := strings.CutPrefix(found, "yaml: unmarshal errors:\n")
	if !isYAML {
		c.warn(found)
		return
	}
	for line := range strings.Lines(lines) {
		c.warn(strings.TrimSpace(line))
	}
}

// unrecognized shows the beginning of a body that is not even the start of an object: text of JSON, hexadecimal digits of anything else.
func unrecognized(want schema.GroupVersionKind, body []byte, err error) error {
	const most = 30
	shown, more := body, ""
	if len(body) > most {
		shown, more = body[:most], " ..."
	}
	begin := string(shown)
	switch {
	case len(body) == 0:
		begin = "<empty>"
	case body[0] != '{':
		begin = hex.EncodeToString(shown)
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s%s)", want.Kind, err, begin, more))
}

func wrongKind(got, want schema.GroupVersionKind) error {
	if got.GroupVersion() != want.GroupVersion() {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", got.GroupVersion(), want.GroupVersion()))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the kind in the data (%s) does not match the expected kind (%s)", got.Kind, want.Kind))
}

var (
	strictJSON = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Strict: true})
	strictYAML = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	protobufs  = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
)

func codecOf(media string) (runtime.Serializer, error) {
	switch media {
	case mediaJSON:
		return strictJSON, nil
	case mediaYAML, "application/x-yaml", "text/yaml":
		return strictYAML, nil
	case mediaProtobuf:
		return protobufs, nil
	}
	return nil, unsupportedMedia("the body of the request was in an unknown format - accepted media types include", mediaJSON, mediaYAML, mediaProtobuf)
}

// place checks name and namespace of a body against the URL, and fills them in.
func (c *call) place(obj kind.Object) error {
	if c.kind.Namespaced {
		switch obj.GetNamespace() {
		case "":
			obj.SetNamespace(c.info.Namespace)
		case c.info.Namespace:
		default:
			return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
		}
	} else if obj.GetNamespace() != "" {
		return apierrors.NewBadRequest("namespace is not allowed on this type")
	}
	switch {
	case c.info.Name == "":
	case obj.GetName() == "":
		obj.SetName(c.info.Name)
	case obj.GetName() != c.info.Name:
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", obj.GetName(), c.info.Name))
	}
	return nil
}
