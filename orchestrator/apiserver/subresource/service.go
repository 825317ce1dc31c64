package subresource

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

func (h *handlers) proxyService(w http.ResponseWriter, r *http.Request) {
	scheme, host, err := h.serviceHost(r)
	if err != nil {
		endpoint.WriteError(w, r, err)
		return
	}
	h.forward(w, r, scheme, host, h.pods)
}

// serviceHost picks a ready endpoint of a Service directly, so that the apiserver's node needs no proxy.
func (h *handlers) serviceHost(r *http.Request) (scheme, host string, err error) {
	info := request.InfoFrom(r.Context())
	a, err := parseAddress("service", info.Name)
	if err != nil {
		return "", "", err
	}
	if err := h.Registry.Barrier(r.Context()); err != nil {
		return "", "", err
	}
	portName := a.port
	if number, notNumber := strconv.ParseInt(a.port, 10, 32); notNumber == nil {
		if portName, err = h.portNamed(r.Context(), info.Namespace, a.name, int32(number)); err != nil {
			return "", "", err
		}
	}
	host, err = h.readyEndpoint(r.Context(), info.Namespace, a.name, portName)
	return a.scheme, host, err
}

// portNamed is the name of a Service's port, by its number.
func (h *handlers) portNamed(ctx context.Context, namespace, service string, number int32) (string, error) {
	obj, err := h.Registry.Get(ctx, schema.GroupResource{Resource: "services"}, namespace, service)
	if err != nil {
		return "", err
	}
	for _, p := range obj.(*corev1.Service).Spec.Ports {
		if p.Port == number {
			return p.Name, nil
		}
	}
	return "", apierrors.NewServiceUnavailable(fmt.Sprintf("no service port %d found for service %q", number, service))
}

func (h *handlers) readyEndpoint(ctx context.Context, namespace, service, portName string) (string, error) {
	slices, err := h.Registry.List(ctx, schema.GroupResource{Group: discoveryv1.GroupName, Resource: "endpointslices"}, namespace,
		labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service}))
	if err != nil {
		return "", err
	}
	var hosts []string
	for _, obj := range slices {
		hosts = append(hosts, readyHosts(obj.(*discoveryv1.EndpointSlice), portName)...)
	}
	if len(hosts) == 0 {
		return "", apierrors.NewServiceUnavailable("no endpoints available for service " + strconv.Quote(service))
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
