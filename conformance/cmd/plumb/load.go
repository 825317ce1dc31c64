package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
)

func newLoadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "load CLUSTER IMAGE", Args: cobra.ExactArgs(2),
		Short: "Put images into a cluster's registry: a tar file of docker save, or the name of one in the local engine",
		Long: `Pushes images to the registry that the cluster's nodes pull from, under their own names: a pod that names one is given it, be it of
docker.io or registry.k8s.io.`,
		RunE: func(c *cobra.Command, args []string) error {
			return withProvider(c.Context(), func(p *containers.Provider) error { return load(c.Context(), p, args[0], args[1], c.OutOrStdout()) })
		},
	}
}

func load(ctx context.Context, p *containers.Provider, cluster, image string, out io.Writer) error {
	registry, err := p.Registry(ctx, cluster)
	if err != nil {
		return err
	}
	file := image
	if _, err := os.Stat(image); errors.Is(err, fs.ErrNotExist) {
		saved, err := saved(ctx, p, image)
		if err != nil {
			return err
		}
		defer os.Remove(saved)
		file = saved
	}
	tags, err := tagsOf(file)
	if err != nil {
		return fmt.Errorf("images in %s: %w", image, err)
	}
	for _, tag := range tags {
		content, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			return fmt.Errorf("image %s: %w", tag, err)
		}
		if err := push(ctx, content, registry+"/"+tag.RepositoryStr()+":"+tag.TagStr(), io.Discard); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is in cluster %s\n", tag.Name(), cluster)
	}
	return nil
}

// saved writes an image of the engine to a file of its own.
func saved(ctx context.Context, p *containers.Provider, image string) (string, error) {
	f, err := os.CreateTemp("", "plumb-image-*.tar")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := p.SaveImage(ctx, image, f); err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("%s is no file, and: %w", image, err)
	}
	return f.Name(), nil
}

// tagsOf lists the names in a tar file of docker save.
func tagsOf(file string) ([]name.Tag, error) {
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil {
		return nil, err
	}
	var tags []name.Tag
	for _, m := range manifest {
		for _, text := range m.RepoTags {
			tag, err := name.NewTag(strings.TrimSpace(text))
			if err != nil {
				return nil, err
			}
			tags = append(tags, tag)
		}
	}
	if len(tags) == 0 {
		return nil, errors.New("none bears a name: save it by name, not by ID")
	}
	return tags, nil
}
