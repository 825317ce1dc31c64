package supervisor

import (
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// NewCommand returns the command that PID 1 of a node runs.
func NewCommand() *cobra.Command {
	began := time.Now()
	return &cobra.Command{
		Use:           "supervisor",
		Short:         "Run a node: prepare the machine, start and keep the runtime and this node's components",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := description.Load(description.Path)
			if err != nil {
				return err
			}
			return Run(cmd.Context(), Config{
				Cluster: cluster, Phases: os.Stdout, LogDir: "/var/log/plumb", Began: began,
				Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
			})
		},
	}
}
