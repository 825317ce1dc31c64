// Package containers boots clusters in containers: one container a node, by the contract in conformance/cluster/CONTRACT.md.
//
// It is fed a shape (kindconfig) and image names, and feeds the harness a cluster.Cluster. Everything it makes bears the label
// io.plumb.cluster=NAME, so that Delete finds it again after any crash, and nothing else is ever touched.
package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/engine"
	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
)

// Labels of everything the provider makes.
const (
	clusterLabel = "io.plumb.cluster"
	roleLabel    = "io.plumb.role"
	// balancerRole and registryRole stand beside cluster.ControlPlane and cluster.Worker.
	balancerRole = "balancer"
	registryRole = "registry"
	faultRole    = "fault"
)

// apiPort is where apiservers and the balancer listen.
const apiPort = 6443

// Config of a cluster to boot.
type Config struct {
	Shape *kindconfig.Cluster
	// NodeImage obeys the contract; RegistryImage serves the fixture images on port 5000; FaultImage is the helper that faults run.
	NodeImage, RegistryImage, FaultImage string
	// Overrides are executables on this machine that take the place of a node's component, by component name.
	Overrides map[string]string
	// Until is what the boot waits for: UntilDNS when empty.
	Until string
	// ReadyTimeout bounds the boot: 0 means 3 minutes.
	ReadyTimeout time.Duration
	// Progress gets a line per phase; nil is quiet.
	Progress io.Writer
}

// What a boot may wait for, each including those before it. The API profile needs no more than the API.
const (
	UntilAPI   = "api"
	UntilNodes = "nodes"
	UntilDNS   = "dns"
)

// Provider talks to one Docker Engine.
type Provider struct {
	docker *testcontainers.DockerClient
}

// New connects to the engine that DOCKER_HOST, or its default, names.
func New(ctx context.Context) (*Provider, error) {
	// Our labels and Delete do the reaper's work; its image could not be pulled on a machine without a registry.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	log.SetDefault(quiet{})
	if err := named(ctx); err != nil {
		return nil, err
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w (is it running, and may this user reach it?)", err)
	}
	return &Provider{docker: docker}, nil
}

// named refuses an engine that DOCKER_HOST names and that does not answer: the library would take another one in silence, and build up and take down
// things there.
func named(ctx context.Context) error {
	host := os.Getenv(client.EnvOverrideHost)
	if host == "" {
		return nil
	}
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return fmt.Errorf("docker engine: %s=%s: %w", client.EnvOverrideHost, host, err)
	}
	_, err = docker.Ping(ctx, client.PingOptions{})
	if err = errors.Join(err, docker.Close()); err != nil {
		return fmt.Errorf("docker engine: %s=%s: %w (unset it to use this machine's own)", client.EnvOverrideHost, host, err)
	}
	return nil
}

// Close ends the connection to the engine.
func (p *Provider) Close() error { return p.docker.Close() }

// Cluster is a cluster in containers.
type Cluster struct {
	provider   *Provider
	name       string
	nodes      []cluster.Node
	kubeconfig []byte
	faultImage string

	once    sync.Once
	control *engine.Control
}

var _ cluster.Cluster = (*Cluster)(nil)

// Name of the cluster.
func (c *Cluster) Name() string { return c.name }

// Nodes of the cluster, control planes first.
func (c *Cluster) Nodes() []cluster.Node { return c.nodes }

// Kubeconfig of the administrator, whose server is the published balancer.
func (c *Cluster) Kubeconfig() []byte { return c.kubeconfig }

// APIServers by node.
func (c *Cluster) APIServers() map[string]string {
	urls := map[string]string{}
	for _, n := range c.nodes {
		if n.Role == cluster.ControlPlane {
			urls[n.Name] = fmt.Sprintf("https://%s:%d", n.Address, apiPort)
		}
	}
	return urls
}

// BalancerPort is the one that the contract names, not the published one.
func (c *Cluster) BalancerPort() string { return strconv.Itoa(apiPort) }

// HelperLabels mark the containers by which faults are made, on whatever cluster.
func HelperLabels() map[string]string { return map[string]string{roleLabel: faultRole} }

// Control over the containers: one for all who ask, whose helpers stay.
func (c *Cluster) Control() cluster.Control {
	c.once.Do(func() {
		containers := map[string]string{}
		for _, n := range c.nodes {
			containers[n.Name] = n.Name
		}
		labels := HelperLabels()
		labels[clusterLabel] = c.name
		c.control = engine.New(engine.Config{
			Docker: c.provider.docker, Containers: containers, Balancer: c.name + "-balancer", FaultImage: c.faultImage,
			Labels: labels,
		})
	})
	return c.control
}

func byCluster(name string) client.Filters {
	return make(client.Filters).Add("label", clusterLabel+"="+name)
}
