package kills

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// clusters is a ground of one shape. Its cluster stays from mutant to mutant: the folder of overriding executables is a mount, in which a program
// is exchanged; the component is told to end, and PID 1 starts it anew. A mutant that would harm the cluster for good (etcd's data, PID 1, the
// plugin) gets a cluster of its own, and one that does not recover is removed.
type clusters struct {
	checker
	provider *containers.Provider
	shape    string
	images   Images
	// bin holds the orchestrator's programs as they are, overrides the ones that nodes run.
	bin, overrides string
	name           string
	out            io.Writer
	running        *containers.Cluster
}

// Images of clusters.
type Images struct{ Node, Registry, Fault string }

// swapped are the components that can be exchanged while a cluster runs.
var swapped = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "podnetwork", "balancer"}

// replaced are paths in the image of what has no override.
var replaced = map[string]string{Node: "/usr/local/bin/node", CNI: "/opt/cni/bin/plumb"}

const (
	overrideDir = "/opt/plumb/override"
	// recovery is how long a cluster may take to be as it was after a component was exchanged; swapPoll is how often that is looked at.
	recovery = 90 * time.Second
	swapPoll = 250 * time.Millisecond
	removal  = 30 * time.Second
)

func (c *clusters) run(ctx context.Context, m *Mutant, program string, ids []string, dir string) ([]verdict.Result, error) {
	if m != nil && !slices.Contains(swapped, m.Component) {
		return c.alone(ctx, m, program, ids, dir)
	}
	if c.running == nil {
		if err := c.boot(ctx); err != nil {
			return nil, err
		}
	}
	if m != nil {
		if err := c.swap(ctx, m.Component, program); err != nil {
			return nil, fmt.Errorf("mutant %s does not start: %w", m.Name, err)
		}
	}
	results, err := c.check(ctx, dir, ids, "--cluster", c.name, "--fault-image", c.images.Fault)
	if m != nil {
		if failed := c.restore(ctx, m); failed != nil {
			fmt.Fprintf(c.out, "  the cluster did not recover from %s (%v): a new one is next\n", m.Name, failed)
			c.close()
		}
	}
	return results, err
}

// alone boots a cluster for one mutant.
func (c *clusters) alone(ctx context.Context, m *Mutant, program string, ids []string, dir string) ([]verdict.Result, error) {
	shape, err := c.load()
	if err != nil {
		return nil, err
	}
	cfg := c.config(shape)
	if path := replaced[m.Component]; path != "" {
		for i := range shape.Nodes {
			shape.Nodes[i].ExtraMounts = append(shape.Nodes[i].ExtraMounts, kindconfig.Mount{HostPath: program, ContainerPath: path, ReadOnly: true})
		}
	} else {
		cfg.Overrides = map[string]string{m.Component: program}
	}
	c.close() // one cluster at a time: their nodes share this machine
	defer c.close()
	if c.running, err = c.provider.Boot(ctx, cfg); err != nil {
		return nil, fmt.Errorf("boot a cluster of mutant %s: %w", m.Name, err)
	}
	return c.check(ctx, dir, ids, "--cluster", c.name, "--fault-image", c.images.Fault)
}

func (c *clusters) load() (*kindconfig.Cluster, error) {
	shape, err := kindconfig.Load(c.shape)
	if err == nil {
		shape.Name = c.name
	}
	return shape, err
}

func (c *clusters) config(shape *kindconfig.Cluster) containers.Config {
	return containers.Config{Shape: shape, NodeImage: c.images.Node, RegistryImage: c.images.Registry, FaultImage: c.images.Fault}
}

func (c *clusters) boot(ctx context.Context) error {
	if err := os.MkdirAll(c.overrides, 0o755); err != nil {
		return err
	}
	for _, component := range swapped {
		if err := c.put(component, filepath.Join(c.bin, Mutant{Component: component}.program())); err != nil {
			return err
		}
	}
	shape, err := c.load()
	if err != nil {
		return err
	}
	for i := range shape.Nodes {
		shape.Nodes[i].ExtraMounts = append(shape.Nodes[i].ExtraMounts, kindconfig.Mount{HostPath: c.overrides, ContainerPath: overrideDir, ReadOnly: true})
	}
	c.running, err = c.provider.Boot(ctx, c.config(shape))
	return err
}

// put lays a program into the mount in one step: what runs goes on with the file that it was started from.
func (c *clusters) put(component, program string) error {
	place := filepath.Join(c.overrides, component)
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.WriteFile(place+".new", data, 0o755); err != nil {
		return err
	}
	return os.Rename(place+".new", place)
}

// swap exchanges a component on all nodes that run it, and returns once each runs anew and the cluster is ready.
func (c *clusters) swap(ctx context.Context, component, program string) error {
	if err := c.put(component, program); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	control, before := c.running.Control(), map[string][]int{}
	for _, n := range c.running.Nodes() {
		pids, err := control.Processes(ctx, n.Name, component)
		if err != nil || len(pids) == 0 {
			continue // a worker has no control plane
		}
		before[n.Name] = pids
		if _, err := control.Signal(ctx, n.Name, component, 15); err != nil {
			return err
		}
	}
	if len(before) == 0 {
		return fmt.Errorf("no node runs %s", component)
	}
	for node, old := range before {
		err := until(ctx, func() error {
			pids, err := control.Processes(ctx, node, component)
			if err == nil && (len(pids) == 0 || slices.Equal(pids, old)) {
				err = fmt.Errorf("%s was not restarted on %s", component, node)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return until(ctx, func() error { return c.ready(ctx) })
}

// restore brings the orchestrator's own component back, and has what the specs left removed: nobody waits for that, since every spec has a namespace of
// its own.
func (c *clusters) restore(ctx context.Context, m *Mutant) error {
	if err := c.swap(ctx, m.Component, filepath.Join(c.bin, m.program())); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	api, err := c.client()
	if err != nil {
		return err
	}
	return until(ctx, func() error {
		left, err := api.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: "plumb.io/spec"})
		if err != nil {
			return err
		}
		for _, ns := range left.Items {
			if ns.DeletionTimestamp != nil {
				continue
			}
			if err := api.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *clusters) client() (kubernetes.Interface, error) {
	t, err := target.New(c.running, "", "")
	if err != nil {
		return nil, err
	}
	return t.Client, nil
}

// ready is nil when the API answers and every node is Ready.
func (c *clusters) ready(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	nodes, err := api.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, n := range nodes.Items {
		for _, condition := range n.Status.Conditions {
			if condition.Type == "Ready" && condition.Status != "True" {
				return fmt.Errorf("node %s is not Ready", n.Name)
			}
		}
	}
	return nil
}

func (c *clusters) close() {
	if c.running == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removal)
	defer cancel()
	if err := c.provider.Delete(ctx, c.name); err != nil {
		fmt.Fprintln(c.out, "  remove the cluster:", err)
	}
	c.running = nil
}

// until repeats an attempt until it succeeds, and returns its last error when ctx ends.
func until(ctx context.Context, attempt func() error) error {
	tick := time.NewTicker(swapPoll)
	defer tick.Stop()
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
