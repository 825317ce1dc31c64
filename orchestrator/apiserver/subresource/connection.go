package subresource

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// connection serves a subresource that joins the client to a pod, a service or a node. Admission sees its options, whatever the method and before
// anybody looks whether what is to be reached is there.
type connection struct {
	h    *handlers
	kind string
	// options as the query says them.
	options func(query url.Values, tail string) runtime.Object
	// session: whoever opens it by GET, as a WebSocket's handshake does, must be allowed what POST asks for.
	session bool
	connect http.Handler
}

func (c connection) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := c.pass(w, r); err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	c.connect.ServeHTTP(w, r)
}

func (c connection) pass(w http.ResponseWriter, r *http.Request) error {
	if c.session {
		if err := c.h.mayCreate(r); err != nil {
			return err
		}
	}
	info := request.InfoFrom(r.Context())
	k := c.h.Registry.Kind(schema.GroupResource{Group: info.Group, Resource: info.Resource})
	attempt := c.h.attempt(w, r, k, admission.Connect, corev1.SchemeGroupVersion.WithKind(c.kind))
	return attempt.Pass(r.Context(), c.options(r.URL.Query(), "/"+info.Tail), nil)
}

// mayCreate refuses a session to whoever may only read it: a WebSocket's method is GET, and must not open what SPDY's POST would not.
func (h *handlers) mayCreate(r *http.Request) error {
	info := *request.InfoFrom(r.Context())
	if info.Verb == "create" {
		return nil // as the chain found
	}
	info.Verb = "create"
	decision, reason, err := h.decide(r.Context(), &authz.Attributes{User: request.UserFrom(r.Context()), Info: info})
	switch {
	case decision == authz.Allow:
		return nil
	case err != nil:
		return err
	}
	return apierrors.NewForbidden(pods, info.Name, errors.New(reason))
}

func isTrue(query url.Values, key string) bool {
	on, err := strconv.ParseBool(query.Get(key))
	return err == nil && on
}

func execOptions(q url.Values, _ string) runtime.Object {
	return &corev1.PodExecOptions{
		Stdin: isTrue(q, "stdin"), Stdout: isTrue(q, "stdout"), Stderr: isTrue(q, "stderr"), TTY: isTrue(q, "tty"),
		Container: q.Get("container"), Command: q["command"],
	}
}

func attachOptions(q url.Values, _ string) runtime.Object {
	return &corev1.PodAttachOptions{
		Stdin: isTrue(q, "stdin"), Stdout: isTrue(q, "stdout"), Stderr: isTrue(q, "stderr"), TTY: isTrue(q, "tty"), Container: q.Get("container"),
	}
}

func forwardOptions(q url.Values, _ string) runtime.Object {
	options := &corev1.PodPortForwardOptions{}
	for _, text := range q["ports"] {
		if port, err := strconv.ParseInt(text, 10, 32); err == nil {
			options.Ports = append(options.Ports, int32(port))
		}
	}
	return options
}

func podProxyOptions(_ url.Values, tail string) runtime.Object {
	return &corev1.PodProxyOptions{Path: tail}
}

func serviceProxyOptions(_ url.Values, tail string) runtime.Object {
	return &corev1.ServiceProxyOptions{Path: tail}
}

func nodeProxyOptions(_ url.Values, tail string) runtime.Object {
	return &corev1.NodeProxyOptions{Path: tail}
}
