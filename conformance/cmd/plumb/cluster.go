package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/conformance/check"
	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
)

// cleanupTime is how long removing a cluster may take after an interruption.
const cleanupTime = 15 * time.Second

// images are the flags that name what clusters are made of.
type images struct{ node, registry, fault string }

func (i *images) add(fs *pflag.FlagSet) {
	fs.StringVar(&i.node, "image", engineName("node"), "node image: any that obeys the node contract")
	fs.StringVar(&i.registry, "registry-image", engineName("registry"), "image of the registry that nodes pull from; empty for none")
	fs.StringVar(&i.fault, "fault-image", engineName("fault"), "image of the helper that signals processes in nodes")
}

// engineName is what the local engine calls an image that make image built: PLUMB_TAG keeps the images of several checkouts apart.
func engineName(image string) string {
	return "plumb/" + image + ":" + cmp.Or(os.Getenv("PLUMB_TAG"), "dev")
}

// shapeFlags choose and alter a cluster's shape.
type shapeFlags struct {
	images
	config, name string
	until        string
	components   map[string]string
	wait         time.Duration
}

func (f *shapeFlags) add(fs *pflag.FlagSet) {
	f.images.add(fs)
	fs.StringVar(&f.config, "config", "", "cluster shape, a file in kind's v1alpha4 format (default: one control plane, two workers)")
	fs.StringVar(&f.name, "name", "", "name of the cluster (default: the one in the file)")
	fs.StringToStringVar(&f.components, "component", nil, "run another executable in place of ours, NAME=PATH: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet or kube-proxy")
	fs.StringVar(&f.until, "until", containers.UntilDNS, "what to wait for: api, nodes or dns")
	fs.DurationVar(&f.wait, "wait", 3*time.Minute, "how long the cluster may take to become ready")
}

func (f *shapeFlags) containersConfig(progress io.Writer) (containers.Config, error) {
	if !slices.Contains([]string{containers.UntilAPI, containers.UntilNodes, containers.UntilDNS}, f.until) {
		return containers.Config{}, fmt.Errorf("--until %s: must be api, nodes or dns", f.until)
	}
	shape, err := f.shape()
	if err != nil {
		return containers.Config{}, err
	}
	overrides, err := overridesOf(f.components)
	if err != nil {
		return containers.Config{}, err
	}
	return containers.Config{
		Shape: shape, NodeImage: f.node, RegistryImage: f.registry, FaultImage: f.fault,
		Overrides: overrides, Until: f.until, ReadyTimeout: f.wait, Progress: progress,
	}, nil
}

func (f *shapeFlags) shape() (*kindconfig.Cluster, error) {
	shape := &kindconfig.Cluster{}
	var err error
	if f.config != "" {
		shape, err = kindconfig.Load(f.config)
	} else {
		shape, err = kindconfig.Parse("default", []byte(defaultShape))
	}
	if err == nil && f.name != "" {
		shape.Name = f.name
	}
	return shape, err
}

const defaultShape = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}, {role: worker}, {role: worker}]
`

func newClusterCommand() *cobra.Command {
	c := &cobra.Command{Use: "cluster", Short: "Boot, list and remove clusters in containers"}
	c.AddCommand(newUpCommand(), newDownCommand(), newListCommand(), newKubeconfigCommand(), newLogsCommand(), newLoadCommand())
	return c
}

func newUpCommand() *cobra.Command {
	var f shapeFlags
	var kubeconfig string
	c := &cobra.Command{Use: "up", Short: "Boot a cluster and leave it running", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		cfg, err := f.containersConfig(c.OutOrStdout())
		if err != nil {
			return err
		}
		return withProvider(c.Context(), func(p *containers.Provider) error {
			if err := preflight(c.Context(), p, cfg.Shape); err != nil {
				return err
			}
			return up(c.Context(), p, cfg, kubeconfig, c.OutOrStdout())
		})
	}}
	f.add(c.Flags())
	c.Flags().StringVar(&kubeconfig, "kubeconfig", "", "where to write the kubeconfig (default: NAME.kubeconfig here)")
	return c
}

func up(ctx context.Context, p *containers.Provider, cfg containers.Config, kubeconfig string, out io.Writer) error {
	controlPlanes, workers := cfg.Shape.Roles()
	fmt.Fprintf(out, "Booting cluster %s: %d control plane(s), %d worker(s)\n", cfg.Shape.Name, controlPlanes, workers)
	booted, err := p.Boot(ctx, cfg)
	if err != nil {
		if ctx.Err() != nil {
			remove(ctx, p, cfg.Shape.Name)
		} else if booted != nil {
			fmt.Fprintln(out, "What the cluster was like is kept in", strings.Join(keep(ctx, booted, cfg.Shape.Name+".failed"), " and "))
		}
		return check.Infrastructure{Err: err}
	}
	if kubeconfig == "" {
		kubeconfig = cfg.Shape.Name + ".kubeconfig"
	}
	if err := os.MkdirAll(filepath.Dir(kubeconfig), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(kubeconfig, booted.Kubeconfig(), 0o600); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	abs, err := filepath.Abs(kubeconfig)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nexport KUBECONFIG=%s\n", abs)
	return nil
}

// onCluster uses the named cluster, or boots one of this shape for it and removes that afterwards; what a removed cluster leaves on the machine
// is an error.
func (f *shapeFlags) onCluster(ctx context.Context, named string, out io.Writer, use func(cluster.Cluster) error) error {
	return withProvider(ctx, func(p *containers.Provider) error {
		if named != "" {
			c, err := p.Find(ctx, named, f.fault)
			if err != nil {
				return err
			}
			return use(c)
		}
		cfg, err := f.containersConfig(out)
		if err != nil {
			return err
		}
		if err := preflight(ctx, p, cfg.Shape); err != nil {
			return err
		}
		trace := containers.Before(cfg.Shape.Name)
		c, err := p.Boot(ctx, cfg)
		if err == nil {
			err = use(c)
		} else {
			err = check.Infrastructure{Err: err}
		}
		return errors.Join(leave(ctx, p, trace), err)
	})
}

// remove deletes a cluster even though ctx has ended.
func remove(ctx context.Context, p *containers.Provider, name string) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if err := p.Delete(grace, name); err != nil {
		fmt.Fprintln(os.Stderr, "plumb:", err)
	}
}

func withProvider(ctx context.Context, do func(*containers.Provider) error) error {
	p, err := containers.New(ctx)
	if err != nil {
		return check.Infrastructure{Err: err}
	}
	defer p.Close()
	return do(p)
}

func newDownCommand() *cobra.Command {
	return &cobra.Command{Use: "down [NAME]", Short: "Remove a cluster and everything that belongs to it", Args: cobra.MaximumNArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return withProvider(c.Context(), func(p *containers.Provider) error { return p.Delete(c.Context(), nameOf(args)) })
	}}
}

func nameOf(args []string) string {
	if len(args) == 0 {
		return "plumb"
	}
	return args[0]
}

func newListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the clusters on this engine", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return withProvider(c.Context(), func(p *containers.Provider) error {
			names, err := p.List(c.Context())
			if len(names) > 0 {
				fmt.Fprintln(c.OutOrStdout(), strings.Join(names, "\n"))
			}
			return err
		})
	}}
}

func newKubeconfigCommand() *cobra.Command {
	return &cobra.Command{Use: "kubeconfig [NAME]", Short: "Print the administrator's kubeconfig of a cluster", Args: cobra.MaximumNArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return withProvider(c.Context(), func(p *containers.Provider) error {
			found, err := p.Find(c.Context(), nameOf(args), "")
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(found.Kubeconfig())
			return err
		})
	}}
}

func newLogsCommand() *cobra.Command {
	return &cobra.Command{Use: "logs NAME DIR", Short: "Write the logs of every node into a directory, a tar file each", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return withProvider(c.Context(), func(p *containers.Provider) error {
			found, err := p.Find(c.Context(), args[0], "")
			if err != nil {
				return err
			}
			return found.SaveLogs(c.Context(), args[1])
		})
	}}
}
