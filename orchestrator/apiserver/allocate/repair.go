package allocate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// repairPeriod is the time between two looks for leaks.
	repairPeriod = 10 * time.Second
	// ripe is how long a claim may be without its Service before it is a leak: no request that could still write it lives as long.
	ripe = 60 * time.Second
)

// Repair finds what apiservers that died between a claim and its Service have left: addresses and node ports that no Service has.
//
// Of all apiservers only the first of the kubernetes Service's addresses repairs: if two did, one could free a port again that the other had
// freed and somebody had just taken. One that becomes first watches for the whole of ripe before it frees anything.
type Repair struct {
	Services *Services
	// Address by which this apiserver stands among the endpoints of the kubernetes Service.
	Address string
	Logger  *slog.Logger

	// since tells when each suspect was first seen without a Service, and without a break since.
	since map[string]time.Time
}

// Run looks for leaks until ctx ends.
func (r *Repair) Run(ctx context.Context) error {
	tick := time.NewTicker(repairPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := r.look(ctx, now); err != nil && ctx.Err() == nil {
				r.Logger.Warn("leaks of Services not looked for", "err", err)
			}
		}
	}
}

func (r *Repair) look(ctx context.Context, now time.Time) error {
	if !r.first(ctx) {
		r.since = nil
		return nil
	}
	claimed, err := r.claims(ctx)
	if err != nil {
		return err
	}
	// Services are read after the claims: one that was written before them is seen.
	if err := r.Services.addresses.objects.Barrier(ctx); err != nil {
		return fmt.Errorf("read Services: %w", err)
	}
	objects, err := r.Services.addresses.objects.List(ctx, schema.GroupResource{Resource: "services"}, "", nil)
	if err != nil {
		return fmt.Errorf("read Services: %w", err)
	}
	var services []*corev1.Service
	for _, o := range objects {
		if svc, ok := o.(*corev1.Service); ok {
			services = append(services, svc)
		}
	}
	var leaked []claim
	leaked, r.since = overdue(orphans(claimed, services), r.since, now)
	for _, c := range leaked {
		r.Logger.Info("a claim without its Service is freed", "claim", c.key())
		r.free(ctx, c)
	}
	return nil
}

// first tells whether this apiserver is the one that repairs.
func (r *Repair) first(ctx context.Context) bool {
	o, err := r.Services.addresses.objects.Get(ctx, schema.GroupResource{Resource: "endpoints"}, metav1.NamespaceDefault, "kubernetes")
	endpoints, ok := o.(*corev1.Endpoints)
	if err != nil || !ok || len(endpoints.Subsets) == 0 {
		return false
	}
	var all []string
	for _, a := range endpoints.Subsets[0].Addresses {
		all = append(all, a.IP)
	}
	return len(all) > 0 && slices.Min(all) == r.Address
}

// claim is an address with the Service that it is for, or a port, which does not say.
type claim struct {
	ip, namespace, name string
	port                int32
}

func (c claim) key() string {
	if c.port != 0 {
		return fmt.Sprintf("node port %d", c.port)
	}
	return strings.Join([]string{c.ip, "for", c.namespace + "/" + c.name}, " ")
}

func (r *Repair) claims(ctx context.Context) ([]claim, error) {
	addresses, err := r.Services.addresses.objects.List(ctx, ipAddresses, "", nil)
	if err != nil {
		return nil, fmt.Errorf("read IPAddresses: %w", err)
	}
	var all []claim
	for _, o := range addresses {
		a, ok := o.(*networkingv1.IPAddress)
		if ok && a.Spec.ParentRef != nil && a.Spec.ParentRef.Resource == "services" {
			all = append(all, claim{ip: a.Name, namespace: a.Spec.ParentRef.Namespace, name: a.Spec.ParentRef.Name})
		}
	}
	taken, err := r.Services.ports.taken(ctx)
	for _, port := range taken {
		all = append(all, claim{port: port})
	}
	return all, err
}

// orphans are the claims that no Service has.
func orphans(claims []claim, services []*corev1.Service) []claim {
	owned := map[claim]bool{}
	for _, svc := range services {
		for _, ip := range svc.Spec.ClusterIPs {
			owned[claim{ip: ip, namespace: svc.Namespace, name: svc.Name}] = true
		}
		for _, port := range nodePorts(svc) {
			owned[claim{port: port}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return owned[c] })
}

// overdue are the orphans that have been so for all of ripe; next is since when the others are.
func overdue(orphans []claim, since map[string]time.Time, now time.Time) (leaked []claim, next map[string]time.Time) {
	next = map[string]time.Time{}
	for _, c := range orphans {
		seen, known := since[c.key()]
		switch {
		case !known:
			next[c.key()] = now
		case now.Sub(seen) >= ripe:
			leaked = append(leaked, c)
		default:
			next[c.key()] = seen
		}
	}
	return leaked, next
}

func (r *Repair) free(ctx context.Context, c claim) {
	if c.port != 0 {
		r.Services.ports.give(ctx, c.port)
		return
	}
	r.Services.addresses.give(ctx, c.ip, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name}})
}
