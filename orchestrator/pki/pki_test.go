package pki

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

var cluster = &description.Cluster{
	Name: "off", // to YAML a boolean, unless it is quoted
	Nodes: []description.Node{
		{Name: "cp", Role: description.ControlPlane, Address: "172.30.0.10"},
		{Name: "w", Role: description.Worker, Address: "172.30.0.11"},
	},
	PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/16", ClusterDomain: "cluster.local", ClusterDNS: "10.96.0.10",
	Balancer: description.Balancer{Address: "172.30.0.2", Port: 6443, Published: []string{"127.0.0.1", "localhost"}},
}

func made(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := Make(cluster, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string][]byte{}
	for _, f := range files {
		byName[f.Name] = f.Data
		if secret := strings.HasSuffix(f.Name, ".key") || strings.HasSuffix(f.Name, ".conf"); secret && f.Mode != 0o600 {
			t.Errorf("%s has mode %o: others may read a secret", f.Name, f.Mode)
		}
	}
	return byName
}

func TestServersAreVerifiedAtEveryAddress(t *testing.T) {
	files := made(t)
	for _, row := range []struct {
		name, ca string
		hosts    []string
	}{
		{"nodes/cp/apiserver", "nodes/w/ca.crt", []string{"10.96.0.1", "kubernetes.default.svc.cluster.local", "172.30.0.10", "172.30.0.2", "127.0.0.1", "localhost"}},
		{"nodes/w/kubelet", "nodes/cp/ca.crt", []string{"172.30.0.11", "w"}},
		{"nodes/cp/etcd/server", "nodes/cp/etcd/ca.crt", []string{"172.30.0.10", "127.0.0.1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			pair, err := tls.X509KeyPair(files[row.name+".crt"], files[row.name+".key"])
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(files[row.ca])
			for _, host := range row.hosts {
				if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
					t.Errorf("at %s: %v", host, err)
				}
			}
		})
	}
}

func TestKubeconfigsCarryStocksIdentities(t *testing.T) {
	files := made(t)
	for _, row := range []struct{ file, server, user, group string }{
		{"admin.conf", "https://172.30.0.2:6443", "kubernetes-admin", "system:masters"},
		{"nodes/w/kubelet.conf", "https://127.0.0.1:7443", "system:node:w", "system:nodes"},
		{"nodes/w/kube-proxy.conf", "https://127.0.0.1:7443", "system:kube-proxy", ""},
		{"nodes/cp/scheduler.conf", "https://127.0.0.1:7443", "system:kube-scheduler", ""},
	} {
		t.Run(row.file, func(t *testing.T) {
			cfg, err := clientcmd.RESTConfigFromKubeConfig(files[row.file])
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.X509KeyPair(cfg.CertData, cfg.KeyData)
			if err != nil {
				t.Fatal(err)
			}
			subject := pair.Leaf.Subject
			if cfg.Host != row.server || subject.CommonName != row.user || strings.Join(subject.Organization, ",") != row.group {
				t.Errorf("got %s as %s in %v", cfg.Host, subject.CommonName, subject.Organization)
			}
		})
	}
}

func TestWorkersGetNoSecretOfTheControlPlane(t *testing.T) {
	for name := range made(t) {
		if strings.HasPrefix(name, "nodes/w/") && (strings.Contains(name, "ca.key") || strings.Contains(name, "sa.key") || strings.Contains(name, "etcd") || strings.Contains(name, "admin")) {
			t.Errorf("a worker has %s", name)
		}
	}
}
