// Command control holds the control plane's components: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.
// The name it is called by, or else its first word, picks the component.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver"
	"github.com/plumb-k8s/plumb/orchestrator/controllers"
	"github.com/plumb-k8s/plumb/orchestrator/etcd"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command is the component that argv[0] names, or a root that lists all of them.
func command() *cobra.Command {
	components := []*cobra.Command{etcd.NewCommand(), apiserver.NewCommand(), controllers.NewCommand(), scheduler.NewCommand()}
	for _, c := range components {
		c.SilenceErrors = true
		if c.Name() == filepath.Base(os.Args[0]) {
			return c
		}
	}
	root := &cobra.Command{Use: "control", Short: "The components of a control plane", SilenceErrors: true}
	root.AddCommand(components...)
	return root
}
