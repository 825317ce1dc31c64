// Package podnetwork is the route agent of a node: it leads the pods of every other node to that node, and tells the CNI plugin which addresses
// are this node's own.
//
// It watches Nodes with the proxy's identity (a kubelet may not list them), so that it works under any controller-manager. It knows no pods:
// packages cni, allocation, link and hostport below it are the plugin's, which runs once per pod and never speaks to the API.
package podnetwork

import (
	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// NewCommand returns the command podnetwork.
func NewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "podnetwork",
		Short:         "Route to the pods of other nodes, and configure the CNI plugin",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cfg := Config{}
	fs := cmd.Flags()
	kubeconfig := fs.String("kubeconfig", "", "kubeconfig file of the apiserver")
	fs.StringVar(&cfg.NodeName, "hostname-override", "", "name of this node")
	fs.StringVar(&cfg.ConfigFile, "cni-config", DefaultConfigFile, "where the network configuration is written")
	fs.IntVar(&cfg.MTU, "mtu", 0, "MTU of pods (default: that of the interface which has this node's address)")
	logging := logs.AddFlags(fs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger, err := logging.Logger("podnetwork")
		if err != nil {
			return err
		}
		cfg.Logger = logger
		if cfg.Client, err = client.Config(*kubeconfig, "podnetwork"); err != nil {
			return err
		}
		agent, err := New(cfg)
		if err != nil {
			return err
		}
		return agent.Run(cmd.Context())
	}
	return cmd
}
