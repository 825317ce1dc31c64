// Package pki makes every secret of a cluster at once, before any node starts: CAs, certificates, kubeconfigs and the key that signs
// ServiceAccount tokens. It is fed a cluster description and feeds a tar file; it keeps nothing and talks to nobody.
//
// The tar file, and so /etc/plumb/pki of a node:
//
//	admin.conf                      a cluster administrator (system:masters), through the balancer
//	balancer/ca.crt                 what the balancer needs to verify apiservers
//	nodes/NAME/ca.crt               the cluster's CA
//	nodes/NAME/kubelet.crt .key     what the kubelet serves with
//	nodes/NAME/kubelet.conf         system:node:NAME in system:nodes
//	nodes/NAME/kube-proxy.conf      system:kube-proxy; the pod network's route agent uses it too
//
// and only on control planes:
//
//	ca.key                          signs CertificateSigningRequests
//	apiserver.crt .key              what the apiserver serves with
//	apiserver-kubelet-client.crt .key, apiserver-etcd-client.crt .key
//	front-proxy-ca.crt, front-proxy-client.crt .key
//	sa.key sa.pub                   sign and verify ServiceAccount tokens
//	etcd/ca.crt, etcd/server.crt .key, etcd/peer.crt .key
//	controller-manager.conf, scheduler.conf, admin.conf
//
// All kubeconfigs of nodes name the node's own balancer, 127.0.0.1:7443. Keys are ECDSA P-256: twelve of them take well under a millisecond.
package pki

import (
	"net"
	"net/netip"
	"path"
	"strconv"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// LocalAPI is where a node's own balancer listens; component kubeconfigs name it.
const LocalAPI = "127.0.0.1:7443"

// File is one file of the PKI, its name relative to the tar's root.
type File struct {
	Name string
	Data []byte
	Mode int64
}

// Make makes the PKI of a cluster, valid from an hour before now: clocks of nodes may differ.
func Make(c *description.Cluster, now time.Time) ([]File, error) {
	m := &maker{cluster: c, now: now}
	if err := m.authorities(); err != nil {
		return nil, err
	}
	server := "https://" + net.JoinHostPort(c.Balancer.Address, strconv.Itoa(c.Balancer.Port))
	m.kubeconfig("admin.conf", server, administrator)
	m.public("balancer/ca.crt", m.ca.certificate)
	for _, n := range c.Nodes {
		m.node(n)
		if n.Role == description.ControlPlane {
			m.controlPlane(n)
		}
	}
	return m.files, m.err
}

// The identities of clients, as stock names them.
var (
	administrator     = identity{name: "kubernetes-admin", groups: []string{"system:masters"}}
	controllerManager = identity{name: "system:kube-controller-manager"}
	scheduler         = identity{name: "system:kube-scheduler"}
	kubeProxy         = identity{name: "system:kube-proxy"}
	kubeletClient     = identity{name: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}}
	etcdClient        = identity{name: "kube-apiserver-etcd-client"}
	frontProxyClient  = identity{name: "front-proxy-client"}
)

// authorities makes the three CAs and the ServiceAccount key.
func (m *maker) authorities() error {
	for _, a := range []struct {
		to   **authority
		name string
	}{{&m.ca, "kubernetes"}, {&m.etcd, "etcd-ca"}, {&m.frontProxy, "front-proxy-ca"}} {
		made, err := newAuthority(a.name, m.now)
		if err != nil {
			return err
		}
		*a.to = made
	}
	var err error
	m.tokens, err = newKey()
	return err
}

// node makes what every node has.
func (m *maker) node(n description.Node) {
	dir := path.Join("nodes", n.Name)
	server := "https://" + LocalAPI
	m.public(path.Join(dir, "ca.crt"), m.ca.certificate)
	m.serving(m.ca, path.Join(dir, "kubelet"), identity{name: "system:node:" + n.Name, groups: []string{"system:nodes"}}, m.nodeHosts(n))
	m.kubeconfig(path.Join(dir, "kubelet.conf"), server, identity{name: "system:node:" + n.Name, groups: []string{"system:nodes"}})
	m.kubeconfig(path.Join(dir, "kube-proxy.conf"), server, kubeProxy)
}

// controlPlane makes what only control planes have.
func (m *maker) controlPlane(n description.Node) {
	in := func(name string) string { return path.Join("nodes", n.Name, name) }
	server := "https://" + LocalAPI
	m.private(in("ca.key"), m.ca.key)
	m.serving(m.ca, in("apiserver"), identity{name: "kube-apiserver"}, m.apiHosts(n))
	m.client(m.ca, in("apiserver-kubelet-client"), kubeletClient)
	m.client(m.etcd, in("apiserver-etcd-client"), etcdClient)
	m.public(in("front-proxy-ca.crt"), m.frontProxy.certificate)
	m.client(m.frontProxy, in("front-proxy-client"), frontProxyClient)
	m.private(in("sa.key"), m.tokens)
	m.publicKey(in("sa.pub"), m.tokens)
	m.public(in("etcd/ca.crt"), m.etcd.certificate)
	m.serving(m.etcd, in("etcd/server"), identity{name: n.Name}, m.nodeHosts(n))
	m.serving(m.etcd, in("etcd/peer"), identity{name: n.Name}, m.nodeHosts(n))
	m.kubeconfig(in("controller-manager.conf"), server, controllerManager)
	m.kubeconfig(in("scheduler.conf"), server, scheduler)
	m.kubeconfig(in("admin.conf"), server, administrator)
}

// nodeHosts are the names and addresses at which a node's own servers are reached.
func (m *maker) nodeHosts(n description.Node) []string {
	return []string{n.Name, "localhost", n.Address, "127.0.0.1"}
}

// apiHosts are all names and addresses at which an apiserver is reached, directly or through a balancer.
func (m *maker) apiHosts(n description.Node) []string {
	c := m.cluster
	hosts := append(m.nodeHosts(n), "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc."+c.ClusterDomain,
		c.ServiceIP().String(), c.Balancer.Address)
	return append(hosts, c.Balancer.Published...)
}

// splitHosts separates names from addresses.
func splitHosts(hosts []string) (names []string, addresses []net.IP) {
	for _, h := range hosts {
		if a, err := netip.ParseAddr(h); err == nil {
			addresses = append(addresses, a.AsSlice())
		} else {
			names = append(names, h)
		}
	}
	return names, addresses
}
