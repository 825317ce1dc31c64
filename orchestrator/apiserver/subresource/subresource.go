// Package subresource answers for what is no stored object or part of one: bindings, evictions, tokens, reviews, and the connections to nodes
// and pods (log, exec, attach, portforward, proxy).
//
// The apiserver's table of routes mounts each handler; the request's Info and User are in the context. Handlers read through objects.Reader
// and write through the registry; connections go out through streams.
package subresource

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// Config of the handlers.
type Config struct {
	Registry   *objects.Registry
	Admission  admission.Judge
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

// Mounts are all handlers: the one list of what is posted and what is connected to. A log is neither: it is read.
func Mounts(cfg Config) []endpoint.Mount {
	h := &handlers{Config: cfg, pools: newPools(cfg.Kubelet.TLS)}
	core := func(resource, sub string, handler http.Handler) endpoint.Mount {
		return endpoint.Mount{Resource: schema.GroupResource{Resource: resource}, Subresource: sub, Handler: handler}
	}
	virtual := func(group, resource string, handler http.Handler) endpoint.Mount {
		return endpoint.Mount{Resource: schema.GroupResource{Group: group, Resource: resource}, Handler: handler}
	}
	session := func(kind string, options func(url.Values, string) runtime.Object, connect http.Handler) http.Handler {
		return connection{h: h, kind: kind, options: options, session: true, connect: connect}
	}
	proxied := func(kind string, options func(url.Values, string) runtime.Object, connect http.HandlerFunc) http.Handler {
		return connection{h: h, kind: kind, options: options, connect: connect}
	}
	return []endpoint.Mount{
		core("pods", "binding", h.bindings()), core("bindings", "", h.bindings()), core("pods", "eviction", h.evictions()),
		core("serviceaccounts", "token", h.tokens()),
		virtual("authentication.k8s.io", "tokenreviews", h.tokenReviews()),
		virtual("authentication.k8s.io", "selfsubjectreviews", h.selfReviews()),
		virtual("authorization.k8s.io", "subjectaccessreviews", h.accessReviews()),
		virtual("authorization.k8s.io", "localsubjectaccessreviews", h.localAccessReviews()),
		virtual("authorization.k8s.io", "selfsubjectaccessreviews", h.selfAccessReviews()),
		virtual("authorization.k8s.io", "selfsubjectrulesreviews", h.selfRulesReviews()),
		core("pods", "exec", session("PodExecOptions", execOptions, h.session(h.execURL))),
		core("pods", "attach", session("PodAttachOptions", attachOptions, h.session(h.attachURL))),
		core("pods", "portforward", session("PodPortForwardOptions", forwardOptions, h.ports())),
		core("pods", "proxy", proxied("PodProxyOptions", podProxyOptions, h.proxyPod)),
		core("services", "proxy", proxied("ServiceProxyOptions", serviceProxyOptions, h.proxyService)),
		core("nodes", "proxy", proxied("NodeProxyOptions", nodeProxyOptions, h.proxyNode)),
		core("pods", "log", http.HandlerFunc(h.log)),
	}
}

// handlers share a Config.
type handlers struct {
	Config
	pools
}
