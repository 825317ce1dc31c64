package subresource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// kubeletPort is where kubelets serve when their node does not say otherwise.
const kubeletPort = 10250

// target makes the kubelet's URL for a pod's request: the path without scheme and host, and the query.
type target func(r *http.Request, pod *corev1.Pod, container string) (path string, query url.Values, err error)

// toKubelet carries a request on a pod to the kubelet of its node.
func (h *handlers) toKubelet(make target) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := h.kubeletURL(r, make)
		if err != nil {
			endpoint.WriteError(w, r, err)
			return
		}
		cfg := streams.Config{Dial: dial, TLS: h.Kubelet.TLS, Transport: h.kubelets, Fail: failed}
		if request.InfoFrom(r.Context()).Subresource == "log" {
			cfg.Refused = refusedLog
		}
		streams.Proxy(w, r, to, cfg)
	})
}

// refusedLog says in a Status what the kubelet said in plain text.
func refusedLog(w http.ResponseWriter, r *http.Request, code int, text string) {
	info := request.InfoFrom(r.Context())
	var err error
	switch code {
	case http.StatusInternalServerError:
		err = apierrors.NewInternalError(errors.New(text))
	case http.StatusBadRequest:
		err = apierrors.NewBadRequest(text)
	default:
		err = apierrors.NewGenericServerResponse(code, "", pods, info.Name, text, 0, false)
	}
	endpoint.WriteError(w, r, err)
}

func (h *handlers) kubeletURL(r *http.Request, make target) (*url.URL, error) {
	info := request.InfoFrom(r.Context())
	obj, err := h.fresh(r.Context(), "pods", info.Namespace, info.Name)
	if err != nil {
		return nil, err
	}
	pod := obj.(*corev1.Pod)
	container := r.URL.Query().Get("container")
	if info.Subresource != "portforward" {
		if container, err = containerOf(pod, container); err != nil {
			return nil, err
		}
	}
	if pod.Spec.NodeName == "" {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
	}
	path, query, err := make(r, pod, container)
	if err != nil {
		return nil, err
	}
	host, err := h.kubeletAddress(r.Context(), pod.Spec.NodeName)
	if err != nil {
		return nil, err
	}
	return &url.URL{Scheme: "https", Host: host, Path: path, RawQuery: query.Encode()}, nil
}

// containerOf checks the named container, or picks the only one.
func containerOf(pod *corev1.Pod, name string) (string, error) {
	var names []string
	for _, c := range pod.Spec.Containers {
		names = append(names, c.Name)
	}
	if name == "" {
		if len(names) == 1 {
			return names[0], nil
		}
		return "", apierrors.NewBadRequest(fmt.Sprintf("a container name must be specified for pod %s, choose one of: %v", pod.Name, names))
	}
	for _, c := range pod.Spec.InitContainers {
		names = append(names, c.Name)
	}
	for _, c := range pod.Spec.EphemeralContainers {
		names = append(names, c.Name)
	}
	for _, have := range names {
		if have == name {
			return name, nil
		}
	}
	return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
}

// kubeletAddress is host and port of a node's kubelet.
func (h *handlers) kubeletAddress(ctx context.Context, node string) (string, error) {
	obj, err := h.Registry.Get(ctx, schema.GroupResource{Resource: "nodes"}, "", node)
	if err != nil {
		return "", err
	}
	n := obj.(*corev1.Node)
	port := int(n.Status.DaemonEndpoints.KubeletEndpoint.Port)
	if port == 0 {
		port = kubeletPort
	}
	for _, preferred := range h.Kubelet.AddressTypes {
		for _, a := range n.Status.Addresses {
			if string(a.Type) == preferred {
				if err := checkHost(a.Address); err != nil {
					return "", err
				}
				return net.JoinHostPort(a.Address, strconv.Itoa(port)), nil
			}
		}
	}
	return "", apierrors.NewInternalError(fmt.Errorf("no preferred addresses found; known addresses: %v", n.Status.Addresses))
}

func (h *handlers) logURL(r *http.Request, pod *corev1.Pod, container string) (string, url.Values, error) {
	query := url.Values{}
	for _, key := range []string{"follow", "previous", "timestamps", "sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream"} {
		if v := r.URL.Query().Get(key); v != "" {
			query.Set(key, v)
		}
	}
	for _, key := range []string{"sinceSeconds", "tailLines", "limitBytes"} {
		if v := query.Get(key); v != "" {
			if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 {
				return "", nil, apierrors.NewBadRequest(fmt.Sprintf("%s: Invalid value: %q: must be greater than or equal to 0", key, v))
			}
		}
	}
	return fmt.Sprintf("/containerLogs/%s/%s/%s", pod.Namespace, pod.Name, container), query, nil
}

func (h *handlers) execURL(r *http.Request, pod *corev1.Pod, container string) (string, url.Values, error) {
	query, err := streamQuery(r)
	query["command"] = r.URL.Query()["command"]
	if err == nil && len(query["command"]) == 0 {
		err = apierrors.NewBadRequest("you must specify at least one command")
	}
	return fmt.Sprintf("/exec/%s/%s/%s", pod.Namespace, pod.Name, container), query, err
}

func (h *handlers) attachURL(r *http.Request, pod *corev1.Pod, container string) (string, url.Values, error) {
	query, err := streamQuery(r)
	return fmt.Sprintf("/attach/%s/%s/%s", pod.Namespace, pod.Name, container), query, err
}

// streamQuery maps stdin, stdout, stderr and tty to the kubelet's input, output, error and tty.
func streamQuery(r *http.Request) (url.Values, error) {
	query, any := url.Values{}, false
	for from, to := range map[string]string{"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"} {
		if isTrue(r.URL.Query(), from) {
			query.Set(to, "1")
			any = any || from != "tty"
		}
	}
	if !any {
		return query, apierrors.NewBadRequest("you must specify at least one of stdin, stdout, stderr")
	}
	return query, nil
}

func (h *handlers) portForwardURL(r *http.Request, pod *corev1.Pod, _ string) (string, url.Values, error) {
	query := url.Values{}
	if ports := r.URL.Query()["ports"]; len(ports) > 0 {
		query["port"] = ports
	}
	return fmt.Sprintf("/portForward/%s/%s", pod.Namespace, pod.Name), query, nil
}
