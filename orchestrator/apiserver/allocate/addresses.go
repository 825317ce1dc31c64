package allocate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var (
	ipAddresses  = schema.GroupResource{Group: networkingv1.GroupName, Resource: "ipaddresses"}
	serviceCIDRs = schema.GroupResource{Group: networkingv1.GroupName, Resource: "servicecidrs"}
)

var (
	errTaken   = errors.New("provided port is already allocated")
	errOutside = errors.New("provided port is not in the valid range")
)

// addresses claims ClusterIPs.
type addresses struct {
	objects objects.ReadWriter
	// configured is the range of the flags, which a cluster has from its start.
	configured block
	family     corev1.IPFamily
}

// attempts at a random address before the range is walked.
const attempts = 16

// errFull: no range has an address left.
var errFull = errors.New("range is full")

// take claims the Service's own wish, or any free address of the upper part of a range, which stock leaves to automatic allocation.
func (a *addresses) take(ctx context.Context, svc *corev1.Service, dryRun bool) (netip.Addr, error) {
	if svc.Spec.ClusterIP == "" {
		return a.any(ctx, svc, dryRun)
	}
	ip, err := netip.ParseAddr(svc.Spec.ClusterIP)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: %w", svc.Spec.ClusterIP, err)
	}
	// Stock's words: a dry run asks the range of the flags, a write looks for the one that has the address.
	if dryRun && !a.configured.usable(ip) {
		return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: the provided IP (%s) is not in the valid range. The range of valid IPs is %s", ip, ip, a.configured)
	}
	if !dryRun {
		if err := a.within(ctx, ip); err != nil {
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: %w", ip, err)
		}
	}
	if err := a.claim(ctx, ip, svc, dryRun); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: provided IP is already allocated", ip)
		}
		return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: %w", ip, err)
	}
	return ip, nil
}

// within finds a range that has the address, in a present view: who has just made or deleted one is not told otherwise.
func (a *addresses) within(ctx context.Context, ip netip.Addr) error {
	if err := a.objects.Barrier(ctx); err != nil {
		return fmt.Errorf("read ServiceCIDRs: %w", err)
	}
	blocks, err := a.blocks(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(blocks, func(b block) bool { return b.usable(ip) }) {
		return errors.New("the provided network does not match the current range")
	}
	return nil
}

// blocks are the ranges to give addresses from, in order.
func (a *addresses) blocks(ctx context.Context) ([]block, error) {
	listed, err := a.objects.List(ctx, serviceCIDRs, "", nil)
	if err != nil {
		return nil, fmt.Errorf("read ServiceCIDRs: %w", err)
	}
	var cidrs []*networkingv1.ServiceCIDR
	for _, o := range listed {
		if c, ok := o.(*networkingv1.ServiceCIDR); ok {
			cidrs = append(cidrs, c)
		}
	}
	return usableBlocks(cidrs, a.configured), nil
}

func (a *addresses) any(ctx context.Context, svc *corev1.Service, dryRun bool) (netip.Addr, error) {
	blocks, err := a.blocks(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, b := range blocks {
		ip, err := a.anyOf(ctx, b, svc, dryRun)
		if !errors.Is(err, errFull) {
			return ip, err
		}
	}
	return netip.Addr{}, errFull
}

func (a *addresses) anyOf(ctx context.Context, b block, svc *corev1.Service, dryRun bool) (netip.Addr, error) {
	size := b.size()
	if size == 0 {
		return netip.Addr{}, errFull
	}
	offset := reserved(size)
	for range attempts {
		n, err := rand.Int(rand.Reader, new(big.Int).SetUint64(size-offset))
		if err != nil {
			return netip.Addr{}, fmt.Errorf("draw an address: %w", err)
		}
		if ip, ok, err := a.try(ctx, b.nth(1+offset+n.Uint64()), svc, dryRun); ok || err != nil {
			return ip, err
		}
	}
	// Nearly full: the upper part in order, then the lower one.
	for i := range size {
		if ip, ok, err := a.try(ctx, b.nth(1+(offset+i)%size), svc, dryRun); ok || err != nil {
			return ip, err
		}
	}
	return netip.Addr{}, errFull
}

// try claims an address unless the cache already knows that it is taken.
func (a *addresses) try(ctx context.Context, ip netip.Addr, svc *corev1.Service, dryRun bool) (netip.Addr, bool, error) {
	if _, err := a.objects.Get(ctx, ipAddresses, "", ip.String()); err == nil {
		return ip, false, nil
	}
	err := a.claim(ctx, ip, svc, dryRun)
	if apierrors.IsAlreadyExists(err) {
		return ip, false, nil
	}
	return ip, err == nil, err
}

func (a *addresses) claim(ctx context.Context, ip netip.Addr, svc *corev1.Service, dryRun bool) error {
	if dryRun {
		if _, err := a.objects.Get(ctx, ipAddresses, "", ip.String()); err == nil {
			return apierrors.NewAlreadyExists(ipAddresses, ip.String())
		}
		return nil
	}
	_, err := a.objects.Create(ctx, ipAddresses, &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: ip.String(), Labels: map[string]string{
			networkingv1.LabelIPAddressFamily: string(a.family), networkingv1.LabelManagedBy: "ipallocator.k8s.io",
		}},
		Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "services", Namespace: svc.Namespace, Name: svc.Name}},
	})
	return err
}

// give returns an address that belongs to the Service; one that is claimed for another stays. Best effort: Repair finds leaks.
func (a *addresses) give(ctx context.Context, ip string, svc *corev1.Service) {
	obj, err := a.objects.Get(ctx, ipAddresses, "", ip)
	if err == nil {
		claimed, ok := obj.(*networkingv1.IPAddress)
		if !ok || claimed.Spec.ParentRef == nil || claimed.Spec.ParentRef.Namespace != svc.Namespace || claimed.Spec.ParentRef.Name != svc.Name {
			return
		}
	}
	_ = a.objects.Delete(ctx, ipAddresses, "", ip)
}
