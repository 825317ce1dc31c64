package endpoint

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/generations"
)

// Media types of bodies and answers.
const (
	mediaJSON     = "application/json"
	mediaYAML     = "application/yaml"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// form is how an answer is to look.
type form struct {
	media string
	// as is empty, Table, PartialObjectMetadata or PartialObjectMetadataList.
	as     string
	pretty bool
	// stream: the client wants a stream of watch events in this media type.
	stream bool
	// gzip: the client takes a compressed answer, and this server gives one.
	gzip bool
}

// negotiate picks the first acceptable form. transforms says whether objects may be shown as something else.
func negotiate(r *http.Request, transforms bool) (form, error) {
	pretty := r.URL.Query().Get("pretty")
	f := form{media: mediaJSON, pretty: pretty == "true" || pretty == "1"}
	accept := r.Header.Get("Accept")
	if accept == "" {
		return f, nil
	}
	for _, c := range accepts.of(accept) {
		if as := c.params["as"]; as != "" && (!transforms || !transformable(as, c.params)) {
			continue
		}
		f.as, f.stream = c.params["as"], c.params["stream"] == "watch"
		switch c.media {
		case "*/*", "application/*", mediaJSON:
			f.media = mediaJSON
			return f, nil
		case mediaYAML, "application/x-yaml", "text/yaml":
			f.media = mediaYAML
			return f, nil
		case mediaProtobuf:
			f.media = mediaProtobuf
			return f, nil
		}
	}
	return f, notAcceptable()
}

// accepts remembers what Accept headers mean: a client sends the same one with each request, and there are few of them.
var accepts = newHeaders()

// maxHeaders bounds a generation of the headers that are remembered. maxHeader is the longest, in bytes.
const (
	maxHeaders = 128
	maxHeader  = 1024
)

type headers struct {
	known generations.Cache[string, []clause]
}

func newHeaders() *headers {
	return &headers{known: generations.Cache[string, []clause]{Limit: maxHeaders}}
}

// clause is one form that a client accepts.
type clause struct {
	media  string
	params map[string]string
}

// of returns the clauses of a header: shared, not to be altered.
func (h *headers) of(accept string) []clause {
	if list, ok := h.known.Get(accept); ok {
		return list
	}
	list := clauses(accept)
	if len(accept) <= maxHeader {
		h.known.Put(strings.Clone(accept), list, 1)
	}
	return list
}

// clauses of an Accept header that can be read, best quality first.
func clauses(accept string) []clause {
	var list []clause
	for text := range strings.SplitSeq(accept, ",") {
		if media, params, err := mime.ParseMediaType(text); err == nil {
			list = append(list, clause{media, params})
		}
	}
	slices.SortStableFunc(list, func(a, b clause) int { return cmp.Compare(b.quality(), a.quality()) })
	return list
}

func (c clause) quality() float64 {
	if q, err := strconv.ParseFloat(c.params["q"], 64); err == nil {
		return q
	}
	return 1
}

func transformable(as string, params map[string]string) bool {
	if params["g"] != metav1.GroupName || (params["v"] != "v1" && params["v"] != "v1beta1") {
		return false
	}
	return as == "Table" || as == "PartialObjectMetadata" || as == "PartialObjectMetadataList"
}

func notAcceptable() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
	}}
}

func unsupportedMedia(what string, allowed ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: what + " must be one of: " + strings.Join(allowed, ", "),
	}}
}
