package subresource

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// address is what a name in a proxy URL says: SCHEME:NAME:PORT, of which only the name is required.
type address struct{ scheme, name, port string }

func parseAddress(text string) (address, error) {
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
	return address{}, apierrors.NewBadRequest(fmt.Sprintf("invalid proxy request %q", text))
}

// forward carries a request to a host, with the path behind .../proxy.
func (h *handlers) forward(w http.ResponseWriter, r *http.Request, scheme, host string, cfg *tls.Config) {
	info := request.InfoFrom(r.Context())
	path := "/" + info.Tail
	if strings.HasSuffix(r.URL.Path, "/") && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	if info.Tail == "" && !strings.HasSuffix(r.URL.Path, "/") && r.Method == http.MethodGet && !streams.IsUpgrade(r) {
		// Relative links of the page need the slash: stock redirects.
		to := *r.URL
		to.Path += "/"
		http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
		return
	}
	streams.Proxy(w, r, &url.URL{Scheme: scheme, Host: host, Path: path, RawQuery: r.URL.RawQuery}, streams.Config{TLS: cfg, Fail: unreachable})
}

// unverified: the certificates of pods are not known to the apiserver.
var unverified = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // as the API promises for pods and services

func (h *handlers) proxyPod(w http.ResponseWriter, r *http.Request) {
	scheme, host, err := h.podHost(r)
	if err == nil {
		err = h.admit(r, "proxy", nil, admission.Connect)
	}
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	h.forward(w, r, scheme, host, unverified)
}

func (h *handlers) podHost(r *http.Request) (scheme, host string, err error) {
	info := request.InfoFrom(r.Context())
	a, err := parseAddress(info.Name)
	if err != nil {
		return "", "", err
	}
	obj, err := h.fresh(r, "pods", info.Namespace, a.name)
	if err != nil {
		return "", "", err
	}
	pod := obj.(*corev1.Pod)
	if pod.Status.PodIP == "" {
		return "", "", apierrors.NewBadRequest("address not allowed: the pod has no IP yet")
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

func (h *handlers) proxyService(w http.ResponseWriter, r *http.Request) {
	scheme, host, err := h.serviceHost(r)
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	h.forward(w, r, scheme, host, unverified)
}

// serviceHost picks a ready endpoint of a Service directly, so that the apiserver's node needs no proxy.
func (h *handlers) serviceHost(r *http.Request) (scheme, host string, err error) {
	info := request.InfoFrom(r.Context())
	a, err := parseAddress(info.Name)
	if err != nil {
		return "", "", err
	}
	obj, err := h.fresh(r, "services", info.Namespace, a.name)
	if err != nil {
		return "", "", err
	}
	portName, err := servicePort(obj.(*corev1.Service), a.port)
	if err != nil {
		return "", "", err
	}
	host, err = h.readyEndpoint(r, info.Namespace, a.name, portName)
	if err != nil {
		return "", "", apierrors.NewServiceUnavailable(err.Error())
	}
	return a.scheme, host, nil
}

// servicePort finds the name of a port by its name or number; a Service of one port needs neither.
func servicePort(s *corev1.Service, port string) (string, error) {
	for _, p := range s.Spec.Ports {
		if (port == "" && len(s.Spec.Ports) == 1) || (port != "" && (p.Name == port || strconv.Itoa(int(p.Port)) == port)) {
			return p.Name, nil
		}
	}
	return "", apierrors.NewServiceUnavailable(fmt.Sprintf("no service port %q found for service %q", port, s.Name))
}

func (h *handlers) readyEndpoint(r *http.Request, namespace, service, portName string) (string, error) {
	slices, err := h.Registry.List(r.Context(), schema.GroupResource{Group: discoveryv1.GroupName, Resource: "endpointslices"}, namespace,
		labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service}))
	if err != nil {
		return "", err
	}
	var hosts []string
	for _, obj := range slices {
		hosts = append(hosts, readyHosts(obj.(*discoveryv1.EndpointSlice), portName)...)
	}
	if len(hosts) == 0 {
		return "", errors.New("no endpoints available for service " + strconv.Quote(service))
	}
	return hosts[rand.IntN(len(hosts))], nil
}

func readyHosts(s *discoveryv1.EndpointSlice, portName string) []string {
	var hosts []string
	for _, p := range s.Ports {
		if p.Port == nil || (p.Name != nil && *p.Name != portName) || (p.Name == nil && portName != "") {
			continue
		}
		for _, e := range s.Endpoints {
			if len(e.Addresses) > 0 && (e.Conditions.Ready == nil || *e.Conditions.Ready) {
				hosts = append(hosts, net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*p.Port))))
			}
		}
	}
	return hosts
}

func (h *handlers) proxyNode(w http.ResponseWriter, r *http.Request) {
	a, err := parseAddress(request.InfoFrom(r.Context()).Name)
	var host string
	if err == nil {
		host, err = h.kubeletAddress(r.Context(), a.name)
	}
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	if a.port != "" && a.port != strconv.Itoa(kubeletPort) {
		bare, _, _ := net.SplitHostPort(host)
		h.forward(w, r, a.scheme, net.JoinHostPort(bare, a.port), unverified)
		return
	}
	h.forward(w, r, "https", host, h.Kubelet.TLS)
}
