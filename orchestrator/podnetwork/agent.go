package podnetwork

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	// DefaultConfigFile is where the container runtime looks for networks.
	DefaultConfigFile = "/etc/cni/net.d/10-plumb.conflist"
	// pluginName is the file name of cmd/cni in the runtime's plugin folder.
	pluginName = "plumb"
	// recheck is how often the kernel's routes are compared: an interface that went down took its routes along.
	recheck = 30 * time.Second
)

// Config of an agent.
type Config struct {
	Client     *rest.Config
	NodeName   string
	ConfigFile string
	// MTU of pods; 0: that of the interface which has the node's address.
	MTU    int
	Logger *slog.Logger
}

// Agent of one node.
type Agent struct {
	cfg      Config
	informer cache.SharedIndexInformer
	// wake has room for one: a change that comes while another is handled is not lost.
	wake chan struct{}
}

// New prepares an agent.
func New(cfg Config) (*Agent, error) {
	if cfg.NodeName == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("name of this node: %w", err)
		}
		cfg.NodeName = name
	}
	cfg.NodeName = strings.ToLower(cfg.NodeName)
	if cfg.ConfigFile == "" {
		cfg.ConfigFile = DefaultConfigFile
	}
	core, err := corev1client.NewForConfig(cfg.Client)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	everything := func(*metav1.ListOptions) {}
	lw := cache.NewFilteredListWatchFromClient(core.RESTClient(), "nodes", metav1.NamespaceAll, everything)
	a := &Agent{cfg: cfg, informer: cache.NewSharedIndexInformer(lw, &corev1.Node{}, 0, nil), wake: make(chan struct{}, 1)}
	if err := a.informer.SetTransform(slim); err != nil {
		return nil, fmt.Errorf("watch nodes: %w", err)
	}
	return a, nil
}

// slim drops what nobody here reads: the images of a node are most of it.
func slim(obj any) (any, error) {
	if m, err := meta.Accessor(obj); err == nil {
		m.SetManagedFields(nil)
		m.SetAnnotations(nil)
	}
	if node, ok := obj.(*corev1.Node); ok {
		node.Status.Images, node.Status.Conditions = nil, nil
	}
	return obj, nil
}

// Run follows the Nodes until ctx ends. Routes and configuration stay: pods go on without the agent.
func (a *Agent) Run(ctx context.Context) error {
	changed := func(any) {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
	registration, err := a.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: changed, DeleteFunc: changed,
		UpdateFunc: func(old, obj any) {
			if before, ok := old.(*corev1.Node); !ok || moved(before, obj.(*corev1.Node)) {
				changed(obj)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch nodes: %w", err)
	}
	forward(a.cfg.Logger)
	go a.informer.RunWithContext(ctx)
	ticker := time.NewTicker(recheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		case <-ticker.C:
		}
		// Before everything has been seen, a route could only be missing, or taken away wrongly.
		if !registration.HasSynced() {
			time.AfterFunc(5*time.Millisecond, func() { changed(nil) })
			continue
		}
		if err := a.sync(); err != nil {
			a.cfg.Logger.Error("route to pods", "error", err)
			time.AfterFunc(time.Second, func() { changed(nil) })
		}
	}
}

func (a *Agent) sync() error {
	var nodes []*corev1.Node
	for _, obj := range a.informer.GetStore().List() {
		if node, ok := obj.(*corev1.Node); ok {
			nodes = append(nodes, node)
		}
	}
	p := makePlan(a.cfg.NodeName, nodes)
	// Routes come first: a pod that the configuration lets start finds them there.
	if err := applyRoutes(p.Routes, a.cfg.Logger); err != nil {
		return err
	}
	if len(p.Own) == 0 {
		return nil
	}
	mtu := a.cfg.MTU
	if mtu == 0 {
		mtu = mtuOf(p.Address)
	}
	return a.writeConfig(p, mtu)
}

// writeConfig replaces the network configuration, when it would change: the runtime reloads it whenever it does.
func (a *Agent) writeConfig(p plan, mtu int) error {
	raw, err := networkConfig(p.Own, mtu)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(a.cfg.ConfigFile)
	if err == nil && bytes.Equal(have, raw) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the network configuration: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(a.cfg.ConfigFile), 0o755); err != nil {
		return fmt.Errorf("write the network configuration: %w", err)
	}
	// The runtime reads every .conflist of the folder: the name of what is not whole yet ends otherwise.
	part := a.cfg.ConfigFile + ".part"
	if err := os.WriteFile(part, raw, 0o644); err != nil {
		return fmt.Errorf("write the network configuration: %w", err)
	}
	if err := os.Rename(part, a.cfg.ConfigFile); err != nil {
		return fmt.Errorf("write the network configuration: %w", err)
	}
	a.cfg.Logger.Info("configured the pod network", "podCIDRs", p.Own, "mtu", mtu, "file", a.cfg.ConfigFile)
	return nil
}
