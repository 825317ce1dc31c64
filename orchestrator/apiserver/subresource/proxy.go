package subresource

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/proxy"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// address is what a name in a proxy URL says: SCHEME:NAME:PORT, of which only the name is required.
type address struct{ scheme, name, port string }

func parseAddress(of, text string) (address, error) {
	parts := strings.Split(text, ":")
	switch {
	case len(parts) == 1:
		return address{"http", parts[0], ""}, nil
	case len(parts) == 2:
		return address{"http", parts[0], parts[1]}, nil
	case len(parts) == 3 && (parts[0] == "http" || parts[0] == "https" || parts[0] == ""):
		if parts[0] == "" {
			parts[0] = "http"
		}
		return address{parts[0], parts[1], parts[2]}, nil
	}
	return address{}, apierrors.NewBadRequest(fmt.Sprintf("invalid %s request %q", of, text))
}

// forward carries a request to a host, with the path behind .../proxy. Links of HTML pages are rewritten, so that they lead back through the proxy.
func (h *handlers) forward(w http.ResponseWriter, r *http.Request, scheme, host string, pool *http.Transport) {
	info := request.InfoFrom(r.Context())
	path := "/" + info.Tail
	if strings.HasSuffix(r.URL.Path, "/") && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	bare := info.Tail == "" && !strings.HasSuffix(r.URL.Path, "/")
	if bare && (r.Method == http.MethodGet || r.Method == http.MethodHead) && !streams.IsUpgrade(r) {
		redirect(w, r) // relative links of the page need the slash
		return
	}
	prefix := strings.TrimSuffix(r.URL.Path, path)
	streams.Proxy(w, r, &url.URL{Scheme: scheme, Host: host, Path: path, RawQuery: r.URL.RawQuery}, streams.Config{
		Dial: dial, TLS: pool.TLSClientConfig, Fail: failed,
		Transport: &proxy.Transport{PathPrepend: prefix, RoundTripper: pool},
	})
}

// redirect to the same path with a slash behind it.
func redirect(w http.ResponseWriter, r *http.Request) {
	to := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusMovedPermanently)
}

// failed tells the client that its target was not reached.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	endpoint.WriteError(w, r, unreachable(err))
}

// unverified: the certificates of pods are not known to the apiserver.
var unverified = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // as the API promises for pods and services

func (h *handlers) proxyPod(w http.ResponseWriter, r *http.Request) {
	scheme, host, err := h.podHost(r)
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	h.forward(w, r, scheme, host, h.pods)
}

func (h *handlers) podHost(r *http.Request) (scheme, host string, err error) {
	info := request.InfoFrom(r.Context())
	a, err := parseAddress("pod", info.Name)
	if err != nil {
		return "", "", err
	}
	obj, err := h.fresh(r.Context(), "pods", info.Namespace, a.name)
	if err != nil {
		return "", "", err
	}
	pod := obj.(*corev1.Pod)
	if err := checkHost(pod.Status.PodIP); err != nil {
		return "", "", err
	}
	port, err := podPort(pod, a.port)
	return a.scheme, net.JoinHostPort(pod.Status.PodIP, port), err
}

// podPort resolves a port's number or name; without one it is the first that the pod declares.
func podPort(pod *corev1.Pod, port string) (string, error) {
	if _, err := strconv.ParseUint(port, 10, 16); err == nil {
		return port, nil
	}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if port == "" || p.Name == port {
				return strconv.Itoa(int(p.ContainerPort)), nil
			}
		}
	}
	if port == "" {
		return "80", nil
	}
	return "", apierrors.NewBadRequest(fmt.Sprintf("no port %q in pod %s", port, pod.Name))
}

func (h *handlers) proxyNode(w http.ResponseWriter, r *http.Request) {
	pool, scheme, host, err := h.nodeHost(r)
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	h.forward(w, r, scheme, host, pool)
}

// nodeHost is a node's kubelet or, by another port, whatever listens there.
func (h *handlers) nodeHost(r *http.Request) (pool *http.Transport, scheme, host string, err error) {
	a, err := parseAddress("node", request.InfoFrom(r.Context()).Name)
	if err != nil {
		return nil, "", "", err
	}
	host, err = h.kubeletAddress(r.Context(), a.name)
	if err != nil {
		return nil, "", "", err
	}
	ip, port, err := net.SplitHostPort(host)
	if err != nil || a.port == "" || a.port == port {
		return h.kubelets, "https", host, err
	}
	return h.pods, a.scheme, net.JoinHostPort(ip, a.port), nil
}
