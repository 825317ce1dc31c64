package integration

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver"
	"github.com/plumb-k8s/plumb/orchestrator/balancer"
	"github.com/plumb-k8s/plumb/orchestrator/etcd"
	"github.com/plumb-k8s/plumb/orchestrator/pki"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// The shape of the cluster.
const (
	planes       = 3
	hollowNodes  = 20
	podSubnet    = "10.244.0.0/16"
	serviceRange = "10.96.0.0/16"
)

// shutdown is how long any component may take to end: an apiserver lets open requests end for three seconds.
const shutdown = 20 * time.Second

// running is a component that was started.
type running struct {
	name string
	stop context.CancelFunc
	done chan error
}

// start runs a component until its stop is called.
func start(ctx context.Context, name string, run func(context.Context) error) *running {
	ctx, stop := context.WithCancel(ctx)
	r := &running{name: name, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- run(ctx) }()
	return r
}

// end stops components side by side; each must return in time, and without an error.
func end(t *testing.T, all ...*running) {
	t.Helper()
	for _, r := range all {
		r.stop()
	}
	for _, r := range all {
		select {
		case err := <-r.done:
			if err != nil {
				t.Errorf("%s ended badly: %v", r.name, err)
			}
		case <-time.After(shutdown):
			t.Errorf("%s did not end within %v of the end of its context", r.name, shutdown)
		}
	}
}

// plane is the control plane without what is elected.
type plane struct {
	dir string
	// front is the balancer's address, apis those of the apiservers.
	front string
	apis  []string

	etcds, servers []*running
	balancer       *running
}

// boot makes the PKI of a cluster on loopback and starts etcd, apiservers and the balancer. It returns when the API answers.
func boot(ctx context.Context, t *testing.T) *plane {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &plane{dir: t.TempDir(), front: listener.Addr().String()}
	t.Cleanup(func() { p.stop(t) })
	p.writePKI(t)
	peers, clients := addresses(t, planes), addresses(t, planes)
	p.apis = addresses(t, planes)
	for i := range planes {
		p.etcds = append(p.etcds, start(ctx, fmt.Sprint("etcd ", i), command(etcd.NewCommand(), p.etcdArgs(i, peers, clients))))
		p.servers = append(p.servers, start(ctx, fmt.Sprint("apiserver ", i), command(apiserver.NewCommand(), p.apiserverArgs(i, clients[i]))))
	}
	b, err := balancer.New(balancer.Config{Listen: []string{p.front}, Backends: p.apis, CA: p.read(t, planeName(0), "ca.crt"), Logger: logger("balancer")})
	if err != nil {
		t.Fatal(err)
	}
	p.balancer = start(ctx, "balancer", func(ctx context.Context) error { return b.Serve(ctx, listener) })
	p.awaitReady(ctx, t)
	return p
}

// command is a component as its executable runs it.
func command(c *cobra.Command, args []string) func(context.Context) error {
	c.SetArgs(args)
	return c.ExecuteContext
}

// logger shows warnings and worse; go test prints them when the test fails.
func logger(component string) *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})).With("component", component)
}

func planeName(i int) string { return fmt.Sprintf("cp%d", i) }
func nodeName(i int) string  { return fmt.Sprintf("hollow-%02d", i) }

func (p *plane) writePKI(t *testing.T) {
	t.Helper()
	cluster := &description.Cluster{
		Name: "integration", PodSubnet: podSubnet, ServiceSubnet: serviceRange, ClusterDomain: "cluster.local", ClusterDNS: "10.96.0.10",
		Balancer: description.Balancer{Address: "127.0.0.1", Port: 6443},
	}
	for i := range planes {
		cluster.Nodes = append(cluster.Nodes, description.Node{Name: planeName(i), Role: description.ControlPlane, Address: "127.0.0.1"})
	}
	for i := range hollowNodes {
		cluster.Nodes = append(cluster.Nodes, description.Node{Name: nodeName(i), Role: description.Worker, Address: "127.0.0.1"})
	}
	files, err := pki.Make(cluster, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(p.dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// file is one of a node's secrets.
func (p *plane) file(node, name string) string { return filepath.Join(p.dir, "nodes", node, name) }

func (p *plane) read(t *testing.T, node, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(p.file(node, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (p *plane) etcdArgs(i int, peers, clients []string) []string {
	name, members := planeName(i), make([]string, planes)
	for j := range planes {
		members[j] = planeName(j) + "=https://" + peers[j]
	}
	return []string{
		"--name=" + name, "--data-dir=" + filepath.Join(p.dir, "data-"+name), "--initial-cluster=" + strings.Join(members, ","),
		"--listen-client-urls=https://" + clients[i], "--advertise-client-urls=https://" + clients[i],
		"--listen-peer-urls=https://" + peers[i], "--initial-advertise-peer-urls=https://" + peers[i],
		"--cert-file=" + p.file(name, "etcd/server.crt"), "--key-file=" + p.file(name, "etcd/server.key"),
		"--trusted-ca-file=" + p.file(name, "etcd/ca.crt"), "--client-cert-auth",
		"--peer-cert-file=" + p.file(name, "etcd/peer.crt"), "--peer-key-file=" + p.file(name, "etcd/peer.key"),
		"--peer-trusted-ca-file=" + p.file(name, "etcd/ca.crt"), "--peer-client-cert-auth",
	}
}

func (p *plane) apiserverArgs(i int, member string) []string {
	name := planeName(i)
	host, port, _ := net.SplitHostPort(p.apis[i])
	return []string{
		"--bind-address=" + host, "--secure-port=" + port, fmt.Sprintf("--advertise-address=127.0.0.%d", i+1),
		"--etcd-servers=https://" + member, "--etcd-cafile=" + p.file(name, "etcd/ca.crt"),
		"--etcd-certfile=" + p.file(name, "apiserver-etcd-client.crt"), "--etcd-keyfile=" + p.file(name, "apiserver-etcd-client.key"),
		"--client-ca-file=" + p.file(name, "ca.crt"), "--tls-cert-file=" + p.file(name, "apiserver.crt"), "--tls-private-key-file=" + p.file(name, "apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + p.file(name, "sa.pub"),
		"--service-account-signing-key-file=" + p.file(name, "sa.key"), "--service-cluster-ip-range=" + serviceRange,
	}
}

// addresses finds free ports on loopback.
func addresses(t *testing.T, n int) []string {
	t.Helper()
	found := make([]string, n)
	for i := range found {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		found[i] = l.Addr().String()
		defer func() { _ = l.Close() }()
	}
	return found
}

// config is a node's kubeconfig, directed at server.
func (p *plane) config(t *testing.T, node, name, server string) *rest.Config {
	t.Helper()
	text := bytes.ReplaceAll(p.read(t, node, name), []byte(pki.LocalAPI), []byte(server))
	cfg, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return cfg
}

// admin is a client of server with every right.
func (p *plane) admin(t *testing.T, server string) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(p.config(t, planeName(0), "admin.conf", server))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// awaitReady waits until every apiserver says that it is ready.
func (p *plane) awaitReady(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, server := range p.apis {
		ready := p.admin(t, server).Discovery().RESTClient()
		eventually(ctx, t, server+" is ready", func() (bool, string) {
			_, err := ready.Get().AbsPath("/readyz").DoRaw(ctx)
			return err == nil, fmt.Sprint(err)
		})
	}
}

// stop ends everything in the order in which a machine would: clients first.
func (p *plane) stop(t *testing.T) {
	t.Helper()
	if p.balancer != nil {
		end(t, p.balancer)
	}
	end(t, p.servers...)
	end(t, p.etcds...)
}

// eventually ticks until ok, or fails with what it last said when the test's time is over.
func eventually(ctx context.Context, t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, last := ok()
		if yes {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not in time: %s: %s", what, last)
		case <-tick.C:
		}
	}
}
