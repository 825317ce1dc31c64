// Package proxy is kube-proxy: it makes the addresses of Services lead to pods, on one node.
//
// It watches Services, EndpointSlices and its own Node, has package ruleset decide what the packet filter should hold for each Service that
// changed, and package nftables apply the difference. It serves health to load balancers, and forgets UDP flows whose endpoint is gone.
// All that it writes to the API are events on Services that the kernel refuses; it routes nothing itself: packets never pass through this process.
package proxy

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/component/client"
	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

// NewCommand returns the command kube-proxy.
func NewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "kube-proxy",
		Short:         "Make the addresses of Services lead to pods",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := addFlags(cmd.Flags())
	logging := logs.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := flags.load(cmd.Flags())
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("v") {
			logging.Verbosity = int(settings.Logging.Verbosity)
		}
		if settings.Logging.Format != "" && !cmd.Flags().Changed("logging-format") {
			logging.Format = settings.Logging.Format
		}
		logger, err := logging.Logger("kube-proxy")
		if err != nil {
			return err
		}
		rest, err := client.Config(settings.ClientConnection.Kubeconfig, "kube-proxy")
		if err != nil {
			return err
		}
		proxy, err := New(Config{Client: rest, Settings: settings, Logger: logger})
		if err != nil {
			return fmt.Errorf("set up kube-proxy: %w", err)
		}
		return proxy.Run(cmd.Context())
	}
	return cmd
}
