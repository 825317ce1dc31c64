package endpoint

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	for _, clause := range clauses(accept) {
		media, params, err := mime.ParseMediaType(clause)
		if err != nil {
			continue
		}
		if as := params["as"]; as != "" && (!transforms || !transformable(as, params)) {
			continue
		}
		f.as, f.stream = params["as"], params["stream"] == "watch"
		switch media {
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

// clauses of an Accept header, best quality first.
func clauses(accept string) []string {
	list := strings.Split(accept, ",")
	quality := func(clause string) float64 {
		if _, params, err := mime.ParseMediaType(clause); err == nil && params["q"] != "" {
			if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
				return q
			}
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b string) int {
		switch qa, qb := quality(a), quality(b); {
		case qa > qb:
			return -1
		case qa < qb:
			return 1
		}
		return 0
	})
	return list
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
