// Package allocate hands out what Services need exclusively: cluster addresses and node ports.
//
// endpoint hands it to objects, which calls Reserve before a Service is written and release afterwards. An address is claimed by creating its
// IPAddress object, a port by compare-and-swap on the bitmap that stock keeps at /registry/ranges/servicenodeports: several apiservers never give
// one out twice.
package allocate

import (
	"context"
	"errors"
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
	// CIDR of Services.
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
		addresses: &addresses{objects: cfg.Objects, cidr: cfg.CIDR.Masked(), family: family},
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
	invalid := func(fault *field.Error) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, wanted.Name, field.ErrorList{fault})
	}
	if needsAddress(wanted) && (before == nil || !needsAddress(before)) {
		if err := s.takeAddress(ctx, u, wanted, dryRun); err != nil {
			return invalid(err)
		}
	}
	if headless(wanted) {
		s.setFamilies(wanted)
	}
	held := nodePorts(before)
	mine := map[int32]bool{}
	for _, p := range portsOf(wanted) {
		if *p.port != 0 {
			mine[*p.port] = mine[*p.port] || slices.Contains(held, *p.port)
		}
	}
	for _, p := range portsOf(wanted) {
		if *p.port != 0 && mine[*p.port] {
			continue
		}
		number, err := s.ports.take(ctx, *p.port, dryRun)
		if err != nil {
			if errors.Is(err, errTaken) || errors.Is(err, errOutside) {
				return invalid(field.Invalid(p.path, *p.port, err.Error()))
			}
			return apierrors.NewInternalError(err)
		}
		*p.port, mine[number] = number, true
		if !dryRun {
			u.failed = append(u.failed, func() { s.ports.give(ctx, number) })
		}
	}
	return nil
}

func (s *Services) takeAddress(ctx context.Context, u *undo, wanted *corev1.Service, dryRun bool) *field.Error {
	ip, err := s.addresses.take(ctx, wanted, dryRun)
	if err != nil {
		path := field.NewPath("spec", "clusterIPs").Index(0)
		if wanted.Spec.ClusterIP == "" {
			return field.InternalError(path, err)
		}
		return field.Invalid(field.NewPath("spec", "clusterIPs"), wanted.Spec.ClusterIPs, err.Error())
	}
	wanted.Spec.ClusterIP, wanted.Spec.ClusterIPs = ip.String(), []string{ip.String()}
	s.setFamilies(wanted)
	if !dryRun {
		u.failed = append(u.failed, func() { s.addresses.give(ctx, ip.String(), wanted) })
	}
	return nil
}

// setFamilies fills in the families of addresses, as far as the Service leaves them open.
func (s *Services) setFamilies(wanted *corev1.Service) {
	policy, families := corev1.IPFamilyPolicySingleStack, []corev1.IPFamily{s.family}
	if headless(wanted) && len(wanted.Spec.Selector) == 0 {
		// Whoever makes its endpoints by hand may use both (API doc of ipFamilies).
		policy, families = corev1.IPFamilyPolicyRequireDualStack, []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	}
	if wanted.Spec.IPFamilyPolicy == nil {
		wanted.Spec.IPFamilyPolicy = &policy
	}
	if len(wanted.Spec.IPFamilies) == 0 {
		wanted.Spec.IPFamilies = families
	}
}

func headless(s *corev1.Service) bool { return s.Spec.ClusterIP == corev1.ClusterIPNone }

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
			all = append(all, slot{&spec.Ports[i].NodePort, field.NewPath("spec", "ports").Index(i).Child("nodePort")})
		}
	}
	if balanced && spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		all = append(all, slot{&spec.HealthCheckNodePort, field.NewPath("spec", "healthCheckNodePort")})
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
