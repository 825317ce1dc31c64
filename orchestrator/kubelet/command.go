package kubelet

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/config"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/node"
)

// flags are the principal ones of stock's kubelet.
type flags struct {
	kubeconfig, config, hostname, nodeIP, root, certDir, taints string
	labels                                                      map[string]string
	fields                                                      *config.Flags
	foreign                                                     foreign
}

func (f *flags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "file that says how to reach the apiserver")
	fs.StringVar(&f.config, "config", "", "file with a KubeletConfiguration")
	fs.StringVar(&f.hostname, "hostname-override", "", "name of the node, instead of the machine's")
	fs.StringVar(&f.nodeIP, "node-ip", "", "addresses of the node, separated by commas; found out by itself when empty")
	fs.StringVar(&f.root, "root-dir", "/var/lib/kubelet", "folder of the kubelet's files")
	fs.StringVar(&f.certDir, "cert-dir", "/var/lib/kubelet/pki", "folder of TLS certificates")
	fs.StringVar(&f.taints, "register-with-taints", "", "taints (key=value:effect, separated by commas) to register the node with")
	fs.StringToStringVar(&f.labels, "node-labels", nil, "labels to register the node with")
	f.fields = config.AddFlags(fs)
	f.foreign.add(fs)
}

// NewCommand is the kubelet's command line.
func NewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "kubelet",
		Short:         "runs the pods that are bound to this node",
		Version:       node.Version,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetVersionTemplate("Kubernetes {{.Version}}\n")
	var f flags
	f.add(cmd.Flags())
	options := logs.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := f.complete()
		if err != nil {
			return err
		}
		logging(cmd.Flags(), options, cfg.Settings)
		logger, err := options.Logger("kubelet")
		if err != nil {
			return err
		}
		cfg.Logger, cfg.Verbosity = logger, options.SetVerbosity
		return New(*cfg).Run(cmd.Context())
	}
	return cmd
}

// logging is the configuration's where no flag is given.
func logging(fs *pflag.FlagSet, options *logs.Options, settings *config.Config) {
	if !fs.Changed("v") {
		options.Verbosity = int(settings.Logging.Verbosity)
	}
	if !fs.Changed("logging-format") {
		options.Format = settings.Logging.Format
	}
}

// complete turns flags and files into a Config.
func (f *flags) complete() (*Config, error) {
	if err := f.foreign.check(f.kubeconfig); err != nil {
		return nil, err
	}
	settings, err := config.Load(f.config, f.fields)
	if err != nil {
		return nil, err
	}
	api, err := client.Config(f.kubeconfig, "kubelet")
	if err != nil {
		return nil, err
	}
	cfg := &Config{Settings: settings, API: api, NodeName: strings.ToLower(f.hostname), Root: f.root, CertDir: f.certDir, Labels: f.labels}
	if cfg.NodeName == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("the machine's name: %w", err)
		}
		cfg.NodeName = strings.ToLower(name)
	}
	if cfg.HostIPs, err = addresses(f.nodeIP); err != nil {
		return nil, err
	}
	if cfg.Taints, err = taints(f.taints); err != nil {
		return nil, err
	}
	cfg.Taints = append(cfg.Taints, settings.RegisterWithTaints...)
	return cfg, nil
}

// addresses reads --node-ip, or takes the first global address of an interface that is up.
func addresses(text string) ([]string, error) {
	if text != "" {
		var ips []string
		for _, one := range strings.Split(text, ",") {
			if net.ParseIP(one) == nil {
				return nil, fmt.Errorf("--node-ip=%s: %q is no IP address", text, one)
			}
			ips = append(ips, one)
		}
		return ips, nil
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return []string{n.IP.String()}, nil
		}
	}
	return nil, fmt.Errorf("no address found on this machine: give --node-ip")
}
