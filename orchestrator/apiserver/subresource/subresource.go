// Package subresource answers for what is no stored object or part of one: bindings, evictions, tokens, reviews, and the connections to nodes
// and pods (log, exec, attach, portforward, proxy).
//
// The apiserver's table of routes mounts each handler; the request's Info and User are in the context. Handlers read through objects.Reader
// and write through the registry; connections go out through streams.
package subresource

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// Config of the handlers.
type Config struct {
	Registry   *objects.Registry
	Admission  endpoint.Admission
	Authorizer authz.Authorizer
	// Tokens verifies, Signer issues; both nil without keys.
	Tokens *token.Verifier
	Signer *token.Signer
	// Audiences of a token that asks for none.
	Audiences []string
	// Kubelet is how nodes are reached.
	Kubelet Kubelet
	Now     func() time.Time
}

// Kubelet is how this apiserver connects to kubelets.
type Kubelet struct {
	TLS *tls.Config
	// AddressTypes in order of preference.
	AddressTypes []string
}

// Mounts are all handlers.
func Mounts(cfg Config) []endpoint.Mount {
	core := func(resource, sub string, h http.Handler) endpoint.Mount {
		return endpoint.Mount{Resource: schema.GroupResource{Resource: resource}, Subresource: sub, Handler: h}
	}
	virtual := func(group, resource string, answer func(*http.Request) (runtime.Object, schema.GroupVersionKind, error)) endpoint.Mount {
		return endpoint.Mount{Resource: schema.GroupResource{Group: group, Resource: resource}, Handler: created(answer)}
	}
	h := &handlers{cfg}
	return []endpoint.Mount{
		core("pods", "binding", created(h.bind)), core("bindings", "", created(h.bind)), core("pods", "eviction", created(h.evict)),
		core("pods", "log", http.HandlerFunc(h.log)), core("pods", "exec", h.session(h.execURL)),
		core("pods", "attach", h.session(h.attachURL)), core("pods", "portforward", h.ports()),
		core("pods", "proxy", http.HandlerFunc(h.proxyPod)), core("services", "proxy", http.HandlerFunc(h.proxyService)),
		core("nodes", "proxy", http.HandlerFunc(h.proxyNode)),
		core("serviceaccounts", "token", created(h.issueToken)),
		virtual("authentication.k8s.io", "tokenreviews", h.reviewToken),
		virtual("authentication.k8s.io", "selfsubjectreviews", h.reviewSelf),
		virtual("authorization.k8s.io", "subjectaccessreviews", h.reviewAccess),
		virtual("authorization.k8s.io", "localsubjectaccessreviews", h.reviewLocalAccess),
		virtual("authorization.k8s.io", "selfsubjectaccessreviews", h.reviewSelfAccess),
		virtual("authorization.k8s.io", "selfsubjectrulesreviews", h.reviewSelfRules),
	}
}

// handlers share a Config.
type handlers struct{ Config }

// created answers a POST with 201 and what the function returns; other methods are refused.
func created(answer func(*http.Request) (runtime.Object, schema.GroupVersionKind, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			endpoint.WriteError(w, r, endpoint.MethodNotAllowed(r))
			return
		}
		obj, gvk, err := answer(r)
		if err == nil {
			err = endpoint.RespondOther(w, r, http.StatusCreated, obj, gvk)
		}
		if err != nil {
			endpoint.WriteError(w, r, err)
		}
	})
}

// maxBody of these requests, in bytes.
const maxBody = 3 << 20

var codecs = serializer.NewCodecFactory(scheme.Scheme)

// decode reads a body of any version of its kind that the scheme knows into the given object.
func decode(r *http.Request, into runtime.Object, gvk schema.GroupVersionKind) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		media = "application/json"
	}
	if media == "application/json" {
		var probe struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(body, &probe); err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
		if probe.Kind == gvk.Kind { // any version: policy/v1beta1 evictions have the fields of policy/v1
			if err := json.Unmarshal(body, into); err != nil {
				return apierrors.NewBadRequest(err.Error())
			}
			into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
			return nil
		}
	}
	if _, _, err := codecs.UniversalDeserializer().Decode(body, &gvk, into); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}
