// Package plane runs a control plane without nodes on loopback: etcd, kube-apiserver and kube-controller-manager as processes of their own.
//
// It is fed executables - ours, mutants of them, or stock's: it uses only flags that all of them know - and feeds null targets and API mutants a
// kubeconfig. Everything it makes is below one folder and ends with its context.
package plane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Components, in the order in which they start.
const (
	Etcd        = "etcd"
	APIServer   = "kube-apiserver"
	Controllers = "kube-controller-manager"
)

// Executables are the paths of the programs by component. A program learns which component it is to be from argv[0].
type Executables map[string]string

// Of takes one program for all three, as our control is.
func Of(path string) Executables {
	return Executables{Etcd: path, APIServer: path, Controllers: path}
}

// With is the same with another program for one component.
func (e Executables) With(component, path string) Executables {
	changed := Executables{component: path}
	for name, other := range e {
		if name != component {
			changed[name] = other
		}
	}
	return changed
}

// Limits of a start and an end: generous, because a plane shares the machine with compilers.
const (
	startTime = 60 * time.Second
	endTime   = 5 * time.Second
	poll      = 50 * time.Millisecond
)

// Plane is a control plane that runs.
type Plane struct {
	// URL is the apiserver's.
	URL     string
	secrets *secrets
	dir     string
	ports   []string
	stop    context.CancelFunc
	running sync.WaitGroup
	died    chan error
}

// Start starts the components in a folder, which must be empty, and returns when the API says that it is ready. Their logs are in the folder.
func Start(ctx context.Context, dir string, programs Executables) (*Plane, error) {
	dir, err := filepath.Abs(dir) // the components' working directory is that folder
	if err != nil {
		return nil, err
	}
	s, err := makeSecrets(dir)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Plane{URL: "https://127.0.0.1:" + ports[2], secrets: s, dir: dir, ports: ports, stop: stop, died: make(chan error, 3)}
	if err := p.run(ctx, programs); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *Plane) run(ctx context.Context, programs Executables) error {
	if err := p.start(ctx, programs, Etcd, p.etcdArgs()); err != nil {
		return err
	}
	if err := p.start(ctx, programs, APIServer, p.apiserverArgs()); err != nil {
		return err
	}
	if err := p.ready(ctx); err != nil {
		return err
	}
	kubeconfig, err := p.secrets.kubeconfig("controllers", p.URL)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.secrets.file("controllers.conf"), kubeconfig, 0o600); err != nil {
		return err
	}
	return p.start(ctx, programs, Controllers, p.controllersArgs())
}

// start runs a component until the context ends; one that ends before is told by ready.
func (p *Plane) start(ctx context.Context, programs Executables, component string, args []string) error {
	log, err := os.Create(filepath.Join(p.dir, component+".log"))
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, programs[component], args...)
	c.Args[0] = component
	c.Stdout, c.Stderr, c.Dir, c.WaitDelay = log, log, p.dir, endTime
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", component, err), log.Close())
	}
	p.running.Go(func() {
		err := c.Wait()
		log.Close()
		if ctx.Err() == nil {
			p.died <- fmt.Errorf("%s ended (%w): see %s", component, err, log.Name())
		}
	})
	return nil
}

// ready waits for the API.
func (p *Plane) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	api, err := p.client()
	if err != nil {
		return err
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		_, err := api.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case err := <-p.died:
			return err
		case <-ctx.Done():
			return fmt.Errorf("the apiserver was not ready in %v (its log is in %s): %w", startTime, p.dir, err)
		case <-tick.C:
		}
	}
}

func (p *Plane) client() (*kubernetes.Clientset, error) {
	kubeconfig, err := p.secrets.kubeconfig("admin", p.URL)
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}

// Stop ends every component and waits for that.
func (p *Plane) Stop() {
	p.stop()
	p.running.Wait()
}

// Target is the plane as the suite sees it, with its API at server: the plane's own URL, or that of a proxy before it.
func (p *Plane) Target(server string) (cluster.Cluster, error) {
	kubeconfig, err := p.secrets.kubeconfig("admin", server)
	return seen{kubeconfig}, err
}

// File is one of the plane's secrets: ca.crt, and server, admin each with .crt and .key.
func (p *Plane) File(name string) string { return p.secrets.file(name) }

// seen is a cluster without nodes.
type seen struct{ kubeconfig []byte }

func (seen) Name() string                  { return "plane" }
func (seen) Nodes() []cluster.Node         { return nil }
func (s seen) Kubeconfig() []byte          { return s.kubeconfig }
func (seen) APIServers() map[string]string { return nil }
func (seen) BalancerPort() string          { return "" }
func (seen) Control() cluster.Control      { return nil }

// freePorts finds ports of loopback that nobody listens on.
func freePorts(n int) ([]string, error) {
	found := make([]string, n)
	for i := range found {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		if _, found[i], err = net.SplitHostPort(l.Addr().String()); err != nil {
			return nil, err
		}
	}
	return found, nil
}
