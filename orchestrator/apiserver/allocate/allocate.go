// Package allocate hands out what Services need exclusively: cluster addresses and node ports.
//
// endpoint hands it to objects, which calls Reserve before a Service is written and release afterwards. An address is claimed by creating its
// IPAddress object, a port by compare-and-swap on the bitmap that stock keeps at /registry/ranges/servicenodeports: several apiservers never give
// one out twice.
package allocate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Config of the allocator.
type Config struct {
	Objects objects.ReadWriter
	Store   store.Store
	// CIDR of Services that the cluster has from its start; ServiceCIDRs add to it.
	CIDR netip.Prefix
	// FirstPort and PortCount are the node port range.
	FirstPort, PortCount int32
}

// Services reserves for Services. It implements endpoint's Reservation.
type Services struct {
	addresses *addresses
	ports     *ports
	family    corev1.IPFamily
}

// New returns the allocator of Services.
func New(cfg Config) *Services {
	family := corev1.IPv4Protocol
	if cfg.CIDR.Addr().Is6() {
		family = corev1.IPv6Protocol
	}
	return &Services{
		addresses: &addresses{objects: cfg.Objects, configured: block{cfg.CIDR.Masked()}, family: family},
		ports:     &ports{store: cfg.Store, first: cfg.FirstPort, count: cfg.PortCount},
		family:    family,
	}
}

// undo collects what was taken, and what is free once the write happened.
type undo struct {
	failed, written []func()
}

func (u *undo) release(written bool) {
	list := u.failed
	if written {
		list = u.written
	}
	for _, f := range slices.Backward(list) {
		f()
	}
}

// Reserve implements endpoint.Reservation.
func (s *Services) Reserve(ctx context.Context, obj, old kind.Object, dryRun bool) (func(written bool), error) {
	wanted, _ := obj.(*corev1.Service)
	before, _ := old.(*corev1.Service)
	u := &undo{}
	after := context.WithoutCancel(ctx) // a client that hangs up does not leak an address
	if wanted != nil {
		if err := s.take(after, u, wanted, before, dryRun); err != nil {
			u.release(false)
			return nil, err
		}
	}
	if before != nil && !dryRun {
		s.free(after, u, wanted, before)
	}
	return u.release, nil
}

func (s *Services) take(ctx context.Context, u *undo, wanted, before *corev1.Service, dryRun bool) error {
	if faults := s.unserved(wanted); len(faults) > 0 {
		return refused(wanted, faults...)
	}
	if needsAddress(wanted) && (before == nil || !needsAddress(before)) {
		if err := s.takeAddress(ctx, u, wanted, dryRun); err != nil {
			return err
		}
	}
	if headless(wanted) || needsAddress(wanted) {
		s.setFamilies(wanted)
	}
	return s.takePorts(ctx, u, wanted, before, dryRun)
}

func refused(wanted *corev1.Service, faults ...*field.Error) error {
	return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, wanted.Name, faults)
}

// takePorts claims the node ports that the Service does not hold yet.
func (s *Services) takePorts(ctx context.Context, u *undo, wanted, before *corev1.Service, dryRun bool) error {
	slots := portsOf(wanted)
	mine := map[int32]int32{} // for which port a node port is
	held := nodePorts(before)
	for _, p := range slots {
		if *p.port != 0 && slices.Contains(held, *p.port) {
			mine[*p.port] = p.of
		}
	}
	for _, p := range slots {
		if before == nil && *p.port == 0 {
			share(slots)
		}
		// An update may spread a node port over several ports: validation has seen that their protocols differ.
		of, has := mine[*p.port]
		if has && *p.port != 0 && (of == p.of || before != nil) {
			continue
		}
		number, err := s.ports.take(ctx, *p.port, dryRun)
		if err == nil && has {
			err = errTaken // by this very Service, whose dry run has claimed nothing
		}
		if errors.Is(err, errTaken) || errors.Is(err, errOutside) {
			return refused(wanted, field.Invalid(p.path, *p.port, err.Error()))
		}
		if err != nil {
			return apierrors.NewInternalError(err)
		}
		*p.port, mine[number] = number, p.of
		if !dryRun {
			u.failed = append(u.failed, func() { s.ports.give(ctx, number) })
		}
	}
	return nil
}

// share a node port among the ports of one number, which differ in protocol, of a new Service: as far as one of them has it and another has none.
func share(slots []slot) {
	known := map[int32]int32{}
	for _, p := range slots {
		if *p.port != 0 && p.of != 0 {
			known[p.of] = *p.port
		}
	}
	for _, p := range slots {
		if *p.port == 0 && p.of != 0 {
			*p.port = known[p.of]
		}
	}
}

func (s *Services) takeAddress(ctx context.Context, u *undo, wanted *corev1.Service, dryRun bool) error {
	ip, err := s.addresses.take(ctx, wanted, dryRun)
	if err != nil && wanted.Spec.ClusterIP == "" {
		return apierrors.NewInternalError(fmt.Errorf("failed to allocate a serviceIP for Service %q: %w", wanted.Name, err))
	}
	if err != nil {
		return refused(wanted, field.Invalid(field.NewPath("spec", "clusterIPs"), wanted.Spec.ClusterIPs, err.Error()))
	}
	wanted.Spec.ClusterIP, wanted.Spec.ClusterIPs = ip.String(), []string{ip.String()}
	if !dryRun {
		u.failed = append(u.failed, func() { s.addresses.give(ctx, ip.String(), wanted) })
	}
	return nil
}

// free returns, once the write has happened, what only the old Service had.
func (s *Services) free(ctx context.Context, u *undo, wanted, before *corev1.Service) {
	if needsAddress(before) && (wanted == nil || !needsAddress(wanted)) {
		for _, ip := range before.Spec.ClusterIPs {
			u.written = append(u.written, func() { s.addresses.give(ctx, ip, before) })
		}
	}
	kept := nodePorts(wanted)
	for _, number := range nodePorts(before) {
		if !slices.Contains(kept, number) {
			u.written = append(u.written, func() { s.ports.give(ctx, number) })
		}
	}
}

func needsAddress(svc *corev1.Service) bool {
	return svc.Spec.Type != corev1.ServiceTypeExternalName && svc.Spec.ClusterIP != corev1.ClusterIPNone
}

// slot is one place of a Service that wants a node port.
type slot struct {
	port *int32
	// of is the Service's port that it is for; 0 for the health check.
	of   int32
	path *field.Path
}

func portsOf(svc *corev1.Service) []slot {
	spec := &svc.Spec
	balanced := spec.Type == corev1.ServiceTypeLoadBalancer
	if spec.Type != corev1.ServiceTypeNodePort && !balanced {
		return nil
	}
	automatic := !balanced || spec.AllocateLoadBalancerNodePorts == nil || *spec.AllocateLoadBalancerNodePorts
	var all []slot
	for i := range spec.Ports {
		if automatic || spec.Ports[i].NodePort != 0 {
			all = append(all, slot{&spec.Ports[i].NodePort, spec.Ports[i].Port, field.NewPath("spec", "ports").Index(i).Child("nodePort")})
		}
	}
	if balanced && spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		all = append(all, slot{&spec.HealthCheckNodePort, 0, field.NewPath("spec", "healthCheckNodePort")})
	}
	return all
}

func nodePorts(svc *corev1.Service) []int32 {
	if svc == nil {
		return nil
	}
	var all []int32
	for _, s := range portsOf(svc) {
		if *s.port != 0 && !slices.Contains(all, *s.port) {
			all = append(all, *s.port)
		}
	}
	return all
}
