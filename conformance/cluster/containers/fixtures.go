package containers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// layoutPath is where a registry image keeps the images that it serves, as an OCI layout (CONTRACT.md).
const layoutPath = "/images"

// Fixtures unpacks the images that a registry image carries into dir, as an OCI layout, and returns its folder.
func (p *Provider) Fixtures(ctx context.Context, registryImage, dir string) (string, error) {
	created, err := p.docker.ContainerCreate(ctx, client.ContainerCreateOptions{Config: &container.Config{Image: registryImage}})
	if err != nil {
		return "", fmt.Errorf("look into image %s: %w", registryImage, err)
	}
	defer func() {
		_, _ = p.docker.ContainerRemove(context.WithoutCancel(ctx), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	}()
	copied, err := p.docker.CopyFromContainer(ctx, created.ID, client.CopyFromContainerOptions{SourcePath: layoutPath})
	if err != nil {
		return "", fmt.Errorf("image %s carries no images at %s: %w", registryImage, layoutPath, err)
	}
	defer copied.Content.Close()
	if err := unpack(copied.Content, dir); err != nil {
		return "", fmt.Errorf("unpack the images of %s: %w", registryImage, err)
	}
	return filepath.Join(dir, filepath.Base(layoutPath)), nil
}

// unpack writes the regular files of a tar stream below dir, and nothing outside it.
func unpack(stream io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	archive := tar.NewReader(stream)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(header.Name, "/")
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = writeBelow(root, name, archive)
		}
		if err != nil {
			return err
		}
	}
}

func writeBelow(root *os.Root, name string, content io.Reader) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Registry is the address, on this machine, of a cluster's own registry.
func (p *Provider) Registry(ctx context.Context, cluster string) (string, error) {
	inspected, err := p.docker.ContainerInspect(ctx, cluster+"-registry", client.ContainerInspectOptions{})
	if err != nil {
		return "", fmt.Errorf("cluster %s has no registry: %w", cluster, err)
	}
	ports := inspected.Container.NetworkSettings.Ports[portOf(registryPort, "tcp")]
	if len(ports) == 0 {
		return "", fmt.Errorf("the registry of cluster %s is not published: is it running?", cluster)
	}
	return fmt.Sprintf("127.0.0.1:%s", ports[0].HostPort), nil
}

// SaveImage writes an image of the engine as a tar file, as docker save does.
func (p *Provider) SaveImage(ctx context.Context, name string, to io.Writer) error {
	saved, err := p.docker.ImageSave(ctx, []string{name})
	if err != nil {
		return fmt.Errorf("save image %s: %w", name, err)
	}
	defer saved.Close()
	if _, err := io.Copy(to, saved); err != nil {
		return fmt.Errorf("save image %s: %w", name, err)
	}
	return nil
}
