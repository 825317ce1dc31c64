package subresource

import (
	"net/http"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
	"github.com/plumb-k8s/plumb/orchestrator/streams/translate"
)

// Kubelets speak SPDY, and WebSocket in the versions before the fifth: only what they do not speak is translated here.

// session answers exec and attach.
func (h *handlers) session(make target) http.Handler {
	plain := h.toKubelet(make)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !translate.Wanted(r) {
			plain.ServeHTTP(w, r)
			return
		}
		to, err := h.kubeletURL(r, make)
		if err != nil {
			endpoint.WriteError(w, r, err)
			return
		}
		q := to.Query()
		s := translate.Session{Stdin: q.Has("input"), Stdout: q.Has("output"), Stderr: q.Has("error"), TTY: q.Has("tty")}
		translate.Serve(w, r, to, h.Kubelet.TLS, s)
	})
}

// ports answers portforward.
func (h *handlers) ports() http.Handler {
	plain := h.toKubelet(h.portForwardURL)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !streams.IsTunnel(r) {
			plain.ServeHTTP(w, r)
			return
		}
		to, err := h.kubeletURL(r, h.portForwardURL)
		if err != nil {
			endpoint.WriteError(w, r, err)
			return
		}
		streams.Tunnel(w, r, to, streams.Config{Dial: dial, TLS: h.Kubelet.TLS, Fail: failed})
	})
}
