package scheduler

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
	"github.com/plumb-k8s/plumb/orchestrator/component/leader"
	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/queue"
)

// options are kube-scheduler's flags.
type options struct {
	configFile, kubeconfig string
	bindAddress            string
	securePort             int
	certFile, keyFile      string
	// names of the profiles, and pauses: of the file.
	names    []string
	pauses   queue.Pauses
	logs     *logs.Options
	election *leader.Options
}

// accepted are flags of stock's scheduler that change nothing here: health and metrics are served without delegated authentication.
var accepted = []string{"authentication-kubeconfig", "authorization-kubeconfig", "client-ca-file", "requestheader-client-ca-file"}

func (o *options) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.configFile, "config", "", "file with a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1)")
	fs.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the apiserver")
	fs.StringVar(&o.bindAddress, "bind-address", "0.0.0.0", "where to serve health and metrics")
	fs.IntVar(&o.securePort, "secure-port", 10259, "port of health and metrics; 0 serves none")
	fs.StringVar(&o.certFile, "tls-cert-file", "", "serving certificate (default: a self-signed one)")
	fs.StringVar(&o.keyFile, "tls-private-key-file", "", "its key")
	for _, name := range accepted {
		fs.String(name, "", "accepted, without effect")
	}
	o.logs = logs.AddFlags(fs)
	o.election = leader.AddFlags(fs, "kube-scheduler")
}

// NewCommand is kube-scheduler.
func NewCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use: "kube-scheduler", Short: "Give every pending pod a node", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.Flags()) },
	}
	o.add(c.Flags())
	return c
}

func (o *options) run(ctx context.Context, fs *pflag.FlagSet) error {
	logger, err := o.logs.Logger("kube-scheduler")
	if err != nil {
		return err
	}
	if err := o.readFile(fs); err != nil {
		return err
	}
	cfg, err := client.Config(o.kubeconfig, "kube-scheduler")
	if err != nil {
		return err
	}
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	scheduling := Config{Client: api, Names: o.names, Pauses: o.pauses, Logger: logger}
	if o.election.Elect {
		election, err := o.election.Config()
		if err != nil {
			return err
		}
		scheduling.Election = &election
	}
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return New(scheduling).Run(ctx) })
	if o.securePort != 0 {
		tls, err := serving.Certificate(o.certFile, o.keyFile, o.bindAddress)
		if err != nil {
			return err
		}
		address := net.JoinHostPort(o.bindAddress, strconv.Itoa(o.securePort))
		all.Go(func() error { return serving.Run(ctx, serving.Config{Address: address, TLS: tls, Logger: logger}) })
	}
	return all.Wait()
}
