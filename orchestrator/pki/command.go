package pki

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// NewCommand returns the command pki: it reads a cluster description and writes the PKI as a tar file.
func NewCommand() *cobra.Command {
	return &cobra.Command{
		Use:           "pki CLUSTER.JSON OUT.TAR",
		Short:         "Make the certificates and kubeconfigs of a cluster",
		Args:          cobra.ExactArgs(2),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cluster, err := description.Load(args[0])
			if err != nil {
				return err
			}
			files, err := Make(cluster, time.Now())
			if err != nil {
				return err
			}
			return write(args[1], files)
		},
	}
}

func write(path string, files []File) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the PKI: %w", err)
	}
	if err := archive(out, files); err != nil {
		out.Close()
		return fmt.Errorf("write the PKI to %s: %w", path, err)
	}
	return out.Close()
}

func archive(to io.Writer, files []File) error {
	out := tar.NewWriter(to)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: f.Mode, Size: int64(len(f.Data))}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := out.Write(f.Data); err != nil {
			return err
		}
	}
	return out.Close()
}
