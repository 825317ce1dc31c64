package controllers

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/util/cert"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
	"github.com/plumb-k8s/plumb/orchestrator/component/leader"
	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// options are kube-controller-manager's flags.
type options struct {
	kubeconfig, rootCAFile string
	bindAddress            string
	securePort             int
	certFile, keyFile      string
	names                  []string
	separately             bool
	settings               world.Settings
	election               *leader.Options
	logs                   *logs.Options
}

// accepted are flags of stock's that change nothing here: health and metrics are served without delegated authentication, and no controller of
// ours signs.
var accepted = []string{
	"authentication-kubeconfig", "authorization-kubeconfig", "client-ca-file", "requestheader-client-ca-file", "cluster-signing-cert-file",
	"cluster-signing-key-file", "service-account-private-key-file", "cluster-name", "cloud-provider", "feature-gates", "profiling",
}

// workers are the --concurrent-NAME-syncs flags and their defaults, as stock's.
var workers = map[string]int{
	"deployment": 5, "replicaset": 5, "rc": 5, "daemonset": 2, "statefulset": 5, "endpoint": 5, "service-endpoint": 5, "mirroring-service-endpoint": 5,
	"namespace": 10, "gc": 20, "serviceaccount": 2, "job": 5, "cron-job": 5, "ttl-after-finished": 5, "resource-quota": 5, "disruption": 5, "node": 4, "ephemeralvolume": 5,
}

func (o *options) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the apiserver")
	fs.StringVar(&o.rootCAFile, "root-ca-file", "", "the CA to publish in every namespace (default: the kubeconfig's)")
	fs.StringVar(&o.bindAddress, "bind-address", "0.0.0.0", "where to serve health and metrics")
	fs.IntVar(&o.securePort, "secure-port", 10257, "port of health and metrics; 0 serves none")
	fs.StringVar(&o.certFile, "tls-cert-file", "", "serving certificate (default: a self-signed one)")
	fs.StringVar(&o.keyFile, "tls-private-key-file", "", "its key")
	fs.StringSliceVar(&o.names, "controllers", []string{"*"}, "which controllers run: * is all that are on by default, foo is foo, -foo is not foo")
	fs.BoolVar(&o.separately, "use-service-account-credentials", false, "each controller writes as a service account of its own")
	s := &o.settings
	fs.BoolVar(&s.AllocateNodeCIDRs, "allocate-node-cidrs", false, "give each node a range of pod addresses")
	fs.StringVar(&s.ClusterCIDR, "cluster-cidr", "", "the ranges of pod addresses of the cluster, one per family")
	fs.StringVar(&s.ServiceCIDR, "service-cluster-ip-range", "", "the ranges of Service addresses")
	fs.IntVar(&s.NodeCIDRMaskIPv4, "node-cidr-mask-size-ipv4", 24, "size of a node's IPv4 range")
	fs.IntVar(&s.NodeCIDRMaskIPv4, "node-cidr-mask-size", 24, "size of a node's range")
	fs.IntVar(&s.NodeCIDRMaskIPv6, "node-cidr-mask-size-ipv6", 64, "size of a node's IPv6 range")
	fs.DurationVar(&s.NodeMonitorPeriod, "node-monitor-period", 5*time.Second, "how often the nodes are judged")
	fs.DurationVar(&s.NodeMonitorGrace, "node-monitor-grace-period", 50*time.Second, "how long a node may be silent")
	fs.DurationVar(&s.NodeStartupGrace, "node-startup-grace-period", time.Minute, "how long a new node may be silent")
	fs.Float64Var(&s.EvictionRate, "node-eviction-rate", 0.1, "nodes a second that are tainted for eviction in a healthy zone")
	fs.Float64Var(&s.SecondaryEvictionRate, "secondary-node-eviction-rate", 0.01, "the same in an unhealthy zone")
	fs.IntVar(&s.LargeCluster, "large-cluster-size-threshold", 50, "zones up to this size are not tainted at all when unhealthy")
	fs.Float64Var(&s.UnhealthyZone, "unhealthy-zone-threshold", 0.55, "share of silent nodes that makes a zone unhealthy")
	fs.IntVar(&s.TerminatedPods, "terminated-pod-gc-threshold", 12500, "how many ended pods may stay; 0 or less: all")
	s.Workers = map[string]*int{}
	for name, n := range workers {
		s.Workers[name] = fs.Int("concurrent-"+name+"-syncs", n, "how many of these are synced at once")
	}
	for _, name := range accepted {
		fs.String(name, "", "accepted, without effect")
	}
	o.election = leader.AddFlags(fs, "kube-controller-manager")
	o.logs = logs.AddFlags(fs)
}

// NewCommand is kube-controller-manager.
func NewCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use: "kube-controller-manager", Short: "Make what is into what should be", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.add(c.Flags())
	return c
}

func (o *options) run(ctx context.Context) error {
	logger, err := o.logs.Logger("kube-controller-manager")
	if err != nil {
		return err
	}
	cfg := Config{Names: o.names, Separately: o.separately, Settings: o.settings, Logger: logger}
	if cfg.Client, err = client.Config(o.kubeconfig, "kube-controller-manager"); err != nil {
		return err
	}
	cfg.Settings.RootCA = cfg.Client.CAData
	if o.rootCAFile != "" {
		if cfg.Settings.RootCA, err = os.ReadFile(o.rootCAFile); err != nil {
			return fmt.Errorf("--root-ca-file: %w", err)
		}
		if _, err := cert.ParseCertsPEM(cfg.Settings.RootCA); err != nil {
			return fmt.Errorf("--root-ca-file=%s: %w", o.rootCAFile, err)
		}
	}
	if o.election.Elect {
		election, err := o.election.Config()
		if err != nil {
			return err
		}
		cfg.Election = &election
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return New(cfg).Run(ctx) })
	if o.securePort != 0 {
		tls, err := serving.Certificate(o.certFile, o.keyFile, o.bindAddress)
		if err != nil {
			return err
		}
		address := net.JoinHostPort(o.bindAddress, strconv.Itoa(o.securePort))
		both.Go(func() error { return serving.Run(ctx, serving.Config{Address: address, TLS: tls, Logger: logger}) })
	}
	return both.Wait()
}
