package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// How fast a dead apiserver leaves the kubernetes Service: its lease ends after leaseTTL, and is renewed every leaseRenewal.
const (
	leaseTTL     = 3 * time.Second
	leaseRenewal = 1 * time.Second
)

// leasePrefix is where apiservers, stock's too, tell each other that they are alive.
const leasePrefix = objects.Root + "masterleases/"

var (
	endpointsGR = schema.GroupResource{Resource: "endpoints"}
	slicesGR    = schema.GroupResource{Group: discoveryv1.GroupName, Resource: "endpointslices"}
)

// Endpoints keeps the addresses of the kubernetes Service: those of every apiserver whose lease has not ended.
type Endpoints struct {
	Registry *objects.Registry
	Store    store.Store
	// Address and Port of this apiserver; without an address it does not take part.
	Address string
	Port    int32
	// Seeded tells that the Service is there.
	Seeded func() bool
	Logger *slog.Logger
}

// leaveTimeout bounds the last writes of an apiserver that shuts down.
const leaveTimeout = 2 * time.Second

// Run takes part until ctx ends, then leaves.
func (e Endpoints) Run(ctx context.Context) error {
	if e.Address == "" {
		return nil
	}
	ticker := time.NewTicker(leaseRenewal)
	defer ticker.Stop()
	for {
		if e.Seeded() {
			if err := e.round(ctx, true); err != nil && ctx.Err() == nil {
				e.Logger.Warn("endpoints of the kubernetes Service not written", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
			defer cancel()
			return e.round(leave, false)
		case <-ticker.C:
		}
	}
}

// round renews this apiserver's lease (or ends it), and writes what all leases together say.
func (e Endpoints) round(ctx context.Context, stay bool) error {
	if err := e.lease(ctx, stay); err != nil {
		return err
	}
	page, err := e.Store.List(ctx, leasePrefix, store.ListOptions{})
	if err != nil {
		return fmt.Errorf("list apiserver leases: %w", err)
	}
	var addresses []string
	for _, entry := range page.Entries {
		addresses = append(addresses, strings.TrimPrefix(entry.Key, leasePrefix))
	}
	slices.Sort(addresses)
	if err := e.write(ctx, endpointsGR, e.endpoints(addresses)); err != nil {
		return err
	}
	return e.write(ctx, slicesGR, e.slice(addresses))
}

// lease writes or removes this apiserver's entry. Only this process writes it, so a conflict means that it ended meanwhile.
func (e Endpoints) lease(ctx context.Context, stay bool) error {
	key := leasePrefix + e.Address
	current, err := e.Store.Get(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !stay {
		if current.ModRevision == 0 {
			return nil
		}
		_, err = e.Store.Delete(ctx, key, current.ModRevision)
		return err
	}
	value, err := objects.Encode(e.Registry.Kind(endpointsGR), &corev1.Endpoints{Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: e.Address}}}}})
	if err != nil {
		return err
	}
	put := store.Put{Key: key, Value: value, TTL: leaseTTL}
	if current.ModRevision == 0 {
		_, err = e.Store.Create(ctx, put)
	} else {
		_, err = e.Store.Update(ctx, put, current.ModRevision)
	}
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		return nil
	}
	return err
}

// write creates the object, or brings an existing one to the wanted state. What the cache shows to be so already costs nothing: if the cache lags,
// the next round sees it.
func (e Endpoints) write(ctx context.Context, gr schema.GroupResource, wanted kind.Object) error {
	if present, err := e.Registry.Get(ctx, gr, wanted.GetNamespace(), wanted.GetName()); err == nil {
		if errors.Is(adopt(present.DeepCopyObject().(kind.Object), wanted), objects.ErrUnchanged) {
			return nil
		}
	}
	_, err := e.Registry.Update(ctx, gr, wanted.GetNamespace(), wanted.GetName(), "", func(present kind.Object) error {
		return adopt(present, wanted)
	})
	if apierrors.IsNotFound(err) {
		_, err = e.Registry.Create(ctx, gr, wanted)
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// adopt copies the wanted addresses; objects.ErrUnchanged when they are there already.
func adopt(present, wanted kind.Object) error {
	switch have := present.(type) {
	case *corev1.Endpoints:
		want := wanted.(*corev1.Endpoints)
		if equality.Semantic.DeepEqual(have.Subsets, want.Subsets) {
			return objects.ErrUnchanged
		}
		have.Subsets = want.Subsets
	case *discoveryv1.EndpointSlice:
		want := wanted.(*discoveryv1.EndpointSlice)
		if equality.Semantic.DeepEqual(have.Endpoints, want.Endpoints) && equality.Semantic.DeepEqual(have.Ports, want.Ports) {
			return objects.ErrUnchanged
		}
		have.Endpoints, have.Ports = want.Endpoints, want.Ports
	}
	return nil
}

func (e Endpoints) endpoints(addresses []string) *corev1.Endpoints {
	out := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Name: "kubernetes", Namespace: metav1.NamespaceDefault, Labels: map[string]string{discoveryv1.LabelSkipMirror: "true"},
	}}
	subset := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: "https", Port: e.Port, Protocol: corev1.ProtocolTCP}}}
	for _, a := range addresses {
		subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: a})
	}
	if len(addresses) > 0 {
		out.Subsets = []corev1.EndpointSubset{subset}
	}
	return out
}

func (e Endpoints) slice(addresses []string) *discoveryv1.EndpointSlice {
	name, port, protocol, ready := "https", e.Port, corev1.ProtocolTCP, true
	out := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes", Namespace: metav1.NamespaceDefault, Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
	for _, a := range addresses {
		if strings.Contains(a, ":") {
			out.AddressType = discoveryv1.AddressTypeIPv6
		}
		out.Endpoints = append(out.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
	}
	return out
}
