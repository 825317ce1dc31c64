package failover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/leadership"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// side is one cluster under measurement.
type side struct {
	name      string
	control   cluster.Control
	nodes     []cluster.Node
	config    *rest.Config
	client    kubernetes.Interface
	leaders   leadership.Reader
	namespace string
}

// namespaceName is where everything of the bench is made.
const namespaceName = "plumb-failover"

func newSide(name string, of cluster.Cluster) (*side, error) {
	if of.Control() == nil {
		return nil, fmt.Errorf("%s: to break nodes takes control over them", name)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(of.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	config.QPS, config.UserAgent = -1, "plumb-bench"
	client, err := separate(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &side{name: name, control: of.Control(), nodes: of.Nodes(), config: config, client: client, namespace: namespaceName}
	if n := len(s.controlPlanes()); n < 3 {
		return nil, fmt.Errorf("%s: it has %d control planes: three are needed to lose one", name, n)
	}
	s.leaders = leadership.Reader{Client: client, Nodes: s.nodes, Control: s.control}
	return s, nil
}

func newDialer() *net.Dialer { return &net.Dialer{Timeout: writeTimeout} }

func (s *side) controlPlanes() (all []cluster.Node) {
	for _, n := range s.nodes {
		if n.Role == cluster.ControlPlane {
			all = append(all, n)
		}
	}
	return all
}

// prepare makes the namespace, once that of an earlier run is gone, and waits for what its pods need.
func (s *side) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wellTime)
	defer cancel()
	for _, part := range []func(context.Context) (bool, error){s.namespaceMade, s.accountMade} {
		if err := until(ctx, part); err != nil {
			return fmt.Errorf("%s: namespace %s: %w", s.name, s.namespace, err)
		}
	}
	return nil
}

func (s *side) namespaceMade(ctx context.Context) (bool, error) {
	made, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		made, err = s.client.CoreV1().Namespaces().Get(ctx, s.namespace, metav1.GetOptions{})
	}
	if err == nil && made.DeletionTimestamp != nil {
		err = errors.New("it is being deleted")
	}
	return err == nil, err
}

func (s *side) accountMade(ctx context.Context) (bool, error) {
	_, err := s.client.CoreV1().ServiceAccounts(s.namespace).Get(ctx, "default", metav1.GetOptions{})
	return err == nil, err
}

// remove deletes the namespace.
func (s *side) remove(ctx context.Context) error {
	err := s.client.CoreV1().Namespaces().Delete(ctx, s.namespace, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// wellTime bounds the recovery after a fault was healed: a node boots, and is given its old state back.
const wellTime = 4 * time.Minute

// well returns once the control plane is whole: every apiserver and node ready, every etcd member led, both Leases held by processes that renew them.
func (s *side) well(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wellTime)
	defer cancel()
	for _, part := range []func(context.Context) (bool, error){s.apiserversReady, s.nodesReady, s.led, s.renewed} {
		if err := untilSlowly(ctx, part); err != nil {
			return fmt.Errorf("%s is not whole again: %w", s.name, err)
		}
	}
	return nil
}

// untilSlowly is until for questions that take longer than a moment: each may take as long as all.
func untilSlowly(ctx context.Context, done func(context.Context) (bool, error)) error {
	return ask(ctx, 10*step, wellTime, done)
}

func (s *side) apiserversReady(ctx context.Context) (bool, error) {
	for _, n := range s.controlPlanes() {
		direct := rest.CopyConfig(s.config)
		direct.Host = "https://" + net.JoinHostPort(n.Address, apiserverPort)
		direct.Timeout = callTimeout
		client, err := rest.HTTPClientFor(direct)
		if err != nil {
			return false, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, direct.Host+"/readyz", nil)
		if err != nil {
			return false, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return false, err
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return false, fmt.Errorf("apiserver of %s: %s", n.Name, answer.Status)
		}
	}
	return true, nil
}

// apiserverPort is where every control plane serves.
const apiserverPort = "6443"

func (s *side) nodesReady(ctx context.Context) (bool, error) {
	err := target.NodesReady(ctx, s.client)
	return err == nil, err
}

func (s *side) led(ctx context.Context) (bool, error) {
	members, err := s.leaders.Members(ctx)
	if errors.Is(err, cluster.ErrUnsupported) {
		return true, nil
	}
	if err != nil || len(members) < len(s.controlPlanes()) {
		return false, errors.Join(err, fmt.Errorf("%d etcd members answer", len(members)))
	}
	for node, m := range members {
		if !m.HasLeader {
			return false, fmt.Errorf("etcd on %s has no leader", node)
		}
	}
	return true, nil
}

// renewed sees each Lease renewed once.
func (s *side) renewed(ctx context.Context) (bool, error) {
	for _, component := range leadership.Leases {
		first, err := s.leaders.Lease(ctx, component)
		if err != nil {
			return false, err
		}
		err = until(ctx, func(ctx context.Context) (bool, error) {
			now, err := s.leaders.Lease(ctx, component)
			return err == nil && now.ResourceVersion != first.ResourceVersion && leadership.HolderOf(now) != "", err
		})
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
