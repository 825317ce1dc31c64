package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/cobra"

	"github.com/plumb-k8s/plumb/conformance/cluster/containers"
)

// refName names an image in a layout's index (OCI image-spec, annotations).
const refName = "org.opencontainers.image.ref.name"

// fixture is one image that nodes pull.
type fixture struct {
	// name is REPOSITORY:TAG, below a registry.
	name  string
	image v1.Image
}

func newImagesCommand() *cobra.Command {
	var registry string
	c := &cobra.Command{Use: "images", Short: "List the images that specs run, save them to a file, push them to a registry"}
	c.PersistentFlags().StringVar(&registry, "registry-image", engineName("registry"), "image of the engine that carries them")
	list := &cobra.Command{Use: "list", Short: "Print names and digests", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return withFixtures(c.Context(), registry, func(all []fixture) error { return listImages(c.OutOrStdout(), all) })
	}}
	save := &cobra.Command{Use: "save FILE", Short: "Write all to one tar file, as docker save does", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return withFixtures(c.Context(), registry, func(all []fixture) error { return saveImages(args[0], all) })
	}}
	push := &cobra.Command{Use: "push REGISTRY", Short: "Push all to a registry; check --image-repository REGISTRY/plumb takes them from there", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return withFixtures(c.Context(), registry, func(all []fixture) error {
			for _, f := range all {
				if err := push(c.Context(), f.image, strings.TrimSuffix(args[0], "/")+"/"+f.name, c.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		})
	}}
	c.AddCommand(list, save, push)
	return c
}

// withFixtures hands do the images that the registry image carries; they can be read until it returns.
func withFixtures(ctx context.Context, registryImage string, do func([]fixture) error) error {
	return withProvider(ctx, func(p *containers.Provider) error {
		dir, err := os.MkdirTemp("", "plumb-images-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		folder, err := p.Fixtures(ctx, registryImage, dir)
		if err != nil {
			return err
		}
		all, err := readLayout(folder)
		if err != nil {
			return fmt.Errorf("the images of %s: %w", registryImage, err)
		}
		return do(all)
	})
}

func readLayout(folder string) ([]fixture, error) {
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var all []fixture
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			return nil, err
		}
		all = append(all, fixture{m.Annotations[refName], image})
	}
	return all, nil
}

func listImages(out io.Writer, all []fixture) error {
	for _, f := range all {
		digest, err := f.image.Digest()
		if err != nil {
			return fmt.Errorf("image %s: %w", f.name, err)
		}
		fmt.Fprintf(out, "%-28s %s\n", f.name, digest)
	}
	return nil
}

// saveImages writes the images under the names that pods use.
func saveImages(file string, all []fixture) error {
	images := map[name.Tag]v1.Image{}
	for _, f := range all {
		registry := "registry.k8s.io/"
		if strings.HasPrefix(f.name, "plumb/") {
			registry = "docker.io/"
		}
		tag, err := name.NewTag(registry + f.name)
		if err != nil {
			return fmt.Errorf("image %s: %w", f.name, err)
		}
		images[tag] = f.image
	}
	if err := tarball.MultiWriteToFile(file, images); err != nil {
		return fmt.Errorf("save the images to %s: %w", file, err)
	}
	return nil
}

// push sends an image to REGISTRY/NAME:TAG, with the credentials that docker login left.
func push(ctx context.Context, image v1.Image, to string, out io.Writer) error {
	tag, err := name.NewTag(to)
	if err != nil {
		return err
	}
	if err := remote.Write(tag, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push %s: %w", to, err)
	}
	fmt.Fprintln(out, to)
	return nil
}
