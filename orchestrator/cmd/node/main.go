// Command node is everything that runs on every node, in one file: without a word it is PID 1; kubelet, kube-proxy, podnetwork, balancer and
// pki are picked by the name it is called by, or else by its first word. It never links etcd, CEL or the containerd client.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/balancer"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet"
	"github.com/plumb-k8s/plumb/orchestrator/pki"
	"github.com/plumb-k8s/plumb/orchestrator/podnetwork"
	"github.com/plumb-k8s/plumb/orchestrator/proxy"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command is the component that argv[0] names; else the supervisor, with the others as its words.
func command() *cobra.Command {
	components := []*cobra.Command{kubelet.NewCommand(), proxy.NewCommand(), podnetwork.NewCommand(), balancer.NewCommand(), pki.NewCommand()}
	for _, c := range components {
		if c.Name() == filepath.Base(os.Args[0]) {
			return c
		}
	}
	root := supervisor.NewCommand()
	root.AddCommand(components...)
	return root
}
