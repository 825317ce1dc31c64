package allocate

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var ipAddresses = schema.GroupResource{Group: networkingv1.GroupName, Resource: "ipaddresses"}

var (
	errTaken   = errors.New("provided port is already allocated")
	errOutside = errors.New("provided port is not in the valid range")
)

// addresses claims ClusterIPs.
type addresses struct {
	objects objects.ReadWriter
	cidr    netip.Prefix
	family  corev1.IPFamily
}

// attempts at a random address before the range is walked.
const attempts = 16

// take claims the Service's own wish, or any free address of the upper part of the range, which stock leaves to automatic allocation.
func (a *addresses) take(ctx context.Context, svc *corev1.Service, dryRun bool) (netip.Addr, error) {
	if svc.Spec.ClusterIP != "" {
		ip, err := netip.ParseAddr(svc.Spec.ClusterIP)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: %w", svc.Spec.ClusterIP, err)
		}
		// Stock's words: a dry run asks some range, a write looks for the one that has the address.
		if !dryRun && !a.cidr.Contains(ip) {
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: the provided network does not match the current range", ip)
		}
		if !a.usable(ip) {
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: the provided IP (%s) is not in the valid range. The range of valid IPs is %s", ip, ip, a.cidr)
		}
		if err := a.claim(ctx, ip, svc, dryRun); err != nil {
			if apierrors.IsAlreadyExists(err) {
				return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: provided IP is already allocated", ip)
			}
			return netip.Addr{}, fmt.Errorf("failed to allocate IP %s: %w", ip, err)
		}
		return ip, nil
	}
	return a.any(ctx, svc, dryRun)
}

func (a *addresses) any(ctx context.Context, svc *corev1.Service, dryRun bool) (netip.Addr, error) {
	size := a.size()
	offset := reserved(size)
	for range attempts {
		n, err := rand.Int(rand.Reader, new(big.Int).SetUint64(size-offset))
		if err != nil {
			return netip.Addr{}, fmt.Errorf("draw an address: %w", err)
		}
		if ip, ok, err := a.try(ctx, a.nth(1+offset+n.Uint64()), svc, dryRun); ok || err != nil {
			return ip, err
		}
	}
	// Nearly full: the upper part in order, then the lower one.
	for i := range size {
		if ip, ok, err := a.try(ctx, a.nth(1+(offset+i)%size), svc, dryRun); ok || err != nil {
			return ip, err
		}
	}
	return netip.Addr{}, errors.New("failed to allocate a serviceIP: range is full")
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

// usable excludes the network's own address, and the broadcast address of IPv4.
func (a *addresses) usable(ip netip.Addr) bool {
	return a.cidr.Contains(ip) && ip != a.cidr.Addr() && (ip.Is6() || ip != a.nth(a.size()+1))
}

// size counts the usable addresses; more than 2^16 are never needed of an IPv6 range.
func (a *addresses) size() uint64 {
	bits := a.cidr.Addr().BitLen() - a.cidr.Bits()
	if a.cidr.Addr().Is6() {
		return 1<<min(bits, 16) - 1
	}
	return 1<<bits - 2
}

// nth address of the range; 0 is the network's own.
func (a *addresses) nth(n uint64) netip.Addr {
	raw := a.cidr.Addr().As16()
	low := binary.BigEndian.Uint64(raw[8:])
	binary.BigEndian.PutUint64(raw[8:], low+n)
	ip := netip.AddrFrom16(raw)
	if a.cidr.Addr().Is4() {
		return ip.Unmap()
	}
	return ip
}

// reserved is the lower part of a range, kept for addresses that people choose: min(max(16, size/16), 256) (KEP-3070).
func reserved(size uint64) uint64 {
	if size < 16 {
		return 0
	}
	return min(max(16, size/16), 256, size-1)
}
