package subresource

import (
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// log answers with a container's log: the kubelet's answer as it is, or, for a client that asks for an upgrade, as WebSocket messages.
// Kubelets speak plain HTTP for logs.
func (h *handlers) log(w http.ResponseWriter, r *http.Request) {
	if !streams.IsUpgrade(r) {
		h.toKubelet(h.logURL).ServeHTTP(w, r)
		return
	}
	to, err := h.kubeletURL(r, h.logURL)
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, to.String(), nil)
	if err != nil {
		endpoint.WriteError(w, r, apierrors.NewInternalError(err))
		return
	}
	answer, err := h.kubelets.RoundTrip(request)
	if err != nil {
		failed(w, r, err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	streams.Messages(w, r, answer.Body)
}
