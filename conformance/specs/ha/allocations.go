package ha

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/fault"
	"github.com/plumb-k8s/plumb/conformance/history/load"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

const (
	// servicesEach is how many Services each apiserver creates.
	servicesEach = 200
	// reusedEach is the share of the freed addresses and ports that are asked for again: one in this many.
	reusedEach = 6
)

func declareAllocations() {
	It("gives no ClusterIP and no node port twice, and gets all back, while an apiserver is killed", Serial, Label("HA-010"), func(ctx SpecContext) {
		s := scene.New(ctx)
		nodes := s.NodesOf(cluster.ControlPlane, 3)[:3]
		paths, err := load.Paths(s.Config, s.Cluster.APIServers())
		Expect(err).NotTo(HaveOccurred())
		made := &services{byName: map[string]corev1.ServiceSpec{}}
		creating, cctx := errgroup.WithContext(ctx)
		for _, node := range nodes {
			creating.Go(func() error { return made.create(cctx, paths[node], s.Namespace, node) })
		}
		Eventually(ctx, made.count).WithTimeout(budget.Failover.Limit()).WithPolling(target.Poll / 10).Should(BeNumerically(">=", servicesEach/2))
		killed := s.Break(ctx, fault.KillComponent(s.Control(), nodes[0], "kube-apiserver"))
		during := made.count()
		Expect(creating.Wait()).To(Succeed())
		scene.Heal(ctx, killed)
		scene.Record("services", "%d acknowledged, %d of them before the kill was witnessed", made.count(), during)
		if during >= len(nodes)*servicesEach {
			scene.Inconclusive("every Service was created before the apiserver was dead")
		}
		allDifferent(ctx, s, made)
		made.delete(ctx, s)
		allFreed(ctx, s, made)
	})
}

// services are those whose creation was acknowledged.
type services struct {
	mu     sync.Mutex
	byName map[string]corev1.ServiceSpec
}

func (m *services) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byName)
}

// create makes servicesEach Services with node ports. A call that fails leaves its name behind, and the next name is tried.
func (m *services) create(ctx context.Context, api kubernetes.Interface, namespace, who string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*budget.Failover.Limit())
	defer cancel()
	tick := time.NewTicker(target.Poll / 10)
	defer tick.Stop()
	var last error
	for n, good := 0, 0; good < servicesEach; n++ {
		call, done := context.WithTimeout(ctx, budget.Call.Limit())
		created, err := api.CoreV1().Services(namespace).Create(call, nodePort(fmt.Sprintf("%s-%03d", who, n), 0, ""), metav1.CreateOptions{})
		done()
		if err == nil {
			good++
			m.mu.Lock()
			m.byName[created.Name] = created.Spec
			m.mu.Unlock()
			continue
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d Services created through %s: %w", good, servicesEach, who, last)
		case <-tick.C:
		}
	}
	return nil
}

// nodePort is a Service with one node port; 0 and "" leave the choice to the cluster.
func nodePort(name string, port int32, ip string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeNodePort, ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 80, NodePort: port}},
	}}
}

// allDifferent looks at every Service of the cluster, also those whose creation was not acknowledged.
func allDifferent(ctx context.Context, s *scene.Scene, made *services) {
	GinkgoHelper()
	all, err := s.API.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	found := map[string]corev1.ServiceSpec{}
	for _, v := range all.Items {
		if v.Namespace == s.Namespace {
			found[v.Name] = v.Spec
		}
	}
	Expect(twice(all.Items)).To(BeEmpty())
	for name, spec := range made.byName {
		Expect(found[name].ClusterIP).To(Equal(spec.ClusterIP), "Service %s was acknowledged with this address", name)
		Expect(found[name].Ports).To(Equal(spec.Ports), "Service %s was acknowledged with this port", name)
	}
}

// twice are the addresses and node ports that two Services have. One Service may have a port for several protocols, and one without an address, or that
// is only another name, has none.
func twice(all []corev1.Service) (wrong []string) {
	owner := map[string]string{}
	take := func(what string, v corev1.Service) {
		who := v.Namespace + "/" + v.Name
		if other, taken := owner[what]; taken && other != who {
			wrong = append(wrong, fmt.Sprintf("%s: %s and %s", what, other, who))
		}
		owner[what] = who
	}
	for _, v := range all {
		for _, address := range append([]string{v.Spec.ClusterIP}, v.Spec.ClusterIPs...) {
			if address != "" && address != corev1.ClusterIPNone {
				take(address, v)
			}
		}
		for _, p := range v.Spec.Ports {
			if p.NodePort != 0 {
				take(fmt.Sprintf("node port %d", p.NodePort), v)
			}
		}
	}
	return wrong
}

// delete removes all Services of the namespace.
func (m *services) delete(ctx context.Context, s *scene.Scene) {
	GinkgoHelper()
	all, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	deleting, dctx := errgroup.WithContext(ctx)
	deleting.SetLimit(8)
	for _, v := range all.Items {
		deleting.Go(func() error { return s.API.CoreV1().Services(s.Namespace).Delete(dctx, v.Name, metav1.DeleteOptions{}) })
	}
	Expect(deleting.Wait()).To(Succeed())
}

// allFreed expects no address to be held for the namespace, and freed addresses and ports to be given to who asks for them.
func allFreed(ctx context.Context, s *scene.Scene, made *services) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		addresses, err := s.API.NetworkingV1().IPAddresses().List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		var held []string
		for _, a := range addresses.Items {
			if a.Spec.ParentRef != nil && a.Spec.ParentRef.Namespace == s.Namespace {
				held = append(held, a.Name+" for "+a.Spec.ParentRef.Name)
			}
		}
		return held, nil
	}).WithTimeout(budget.Repair.Limit()).WithPolling(target.Poll).Should(BeEmpty(), "addresses of Services that are gone")
	names := make([]string, 0, len(made.byName))
	for name := range made.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := 0; i < len(names); i += reusedEach {
		spec := made.byName[names[i]]
		_, err := s.API.CoreV1().Services(s.Namespace).Create(ctx, nodePort("again-"+names[i], spec.Ports[0].NodePort, spec.ClusterIP), metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred(), "what Service %s had is not free again", names[i])
	}
}
