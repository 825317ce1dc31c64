// Package balancer leads TCP connections to whichever apiserver is ready: one runs on every node, and one in front of the cluster.
//
// It asks each backend's /readyz over TLS, several times a second, and resets all connections to a backend that stops answering: a paused
// apiserver keeps its connections, and its clients would notice long after their leases had expired. It is fed a list of backends, which is
// fixed, and opens nothing of what passes through: TLS ends at the apiserver.
package balancer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
)

const (
	// apiserverPort is where every control plane serves (the node contract).
	apiserverPort = "6443"
	// clusterCA is where the balancer finds the cluster's CA when nothing else is said.
	clusterCA = "/etc/plumb/pki/ca.crt"
)

// NewCommand returns the command balancer: with the cluster description as its argument, or with --listen and --backend.
func NewCommand() *cobra.Command {
	cfg := Config{}
	var ca, health string
	cmd := &cobra.Command{
		Use:           "balancer [CLUSTER.JSON]",
		Short:         "Lead connections to whichever apiserver is ready",
		Args:          cobra.MaximumNArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&cfg.Listen, "listen", nil, "address to listen on, host:port; repeatable")
	fs.StringArrayVar(&cfg.Backends, "backend", nil, "apiserver, host:port; repeatable")
	fs.StringVar(&ca, "ca", "", "CA of the apiservers' certificates (default "+clusterCA+" if it exists; else certificates are not verified)")
	fs.StringVar(&health, "healthz-bind-address", "", "address that tells whether a backend is ready; empty: none")
	fs.DurationVar(&cfg.Interval, "probe-interval", 0, "how often a ready backend is asked; the others twice as often (default 250ms)")
	fs.DurationVar(&cfg.Timeout, "probe-timeout", 0, "how long an answer may take; more, up to four times as long, where answers have been slow (default 300ms)")
	logging := logs.AddFlags(fs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		logger, err := logging.Logger("balancer")
		if err != nil {
			return err
		}
		cfg.Logger, cfg.Health = logger, health
		if len(args) == 1 {
			if err := cfg.describe(args[0]); err != nil {
				return err
			}
		}
		if cfg.CA, err = readCA(ca); err != nil {
			return err
		}
		balancer, err := New(cfg)
		if err != nil {
			return err
		}
		return balancer.Run(cmd.Context())
	}
	return cmd
}

// readCA reads the CA's certificates; nil when there are none to read and none were asked for.
func readCA(file string) ([]byte, error) {
	optional := file == ""
	if optional {
		file = clusterCA
	}
	pem, err := os.ReadFile(file)
	if optional && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	return pem, nil
}

// description is what a balancer reads of the cluster description.
type description struct {
	Nodes []struct {
		Name, Role, Address string
	}
	Balancer struct {
		Port int
	}
}

// describe adds the cluster's control planes, and its port where no --listen is given.
func (c *Config) describe(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the cluster description: %w", err)
	}
	var d description
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("read the cluster description %s: %w", file, err)
	}
	for _, node := range d.Nodes {
		if node.Role == "control-plane" {
			c.Backends = append(c.Backends, net.JoinHostPort(node.Address, apiserverPort))
		}
	}
	if len(c.Listen) == 0 {
		if d.Balancer.Port < 1 || d.Balancer.Port > 65535 {
			return fmt.Errorf("cluster description %s: balancer.port is %d: must be within 1 and 65535", file, d.Balancer.Port)
		}
		c.Listen = []string{":" + strconv.Itoa(d.Balancer.Port)}
	}
	return nil
}

// The defaults of Config.
const (
	defaultInterval = 250 * time.Millisecond
	defaultTimeout  = 300 * time.Millisecond
)
