package containers

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/kindconfig"
)

// registryPort is where the registry container listens.
const registryPort = 5000

// spec is what differs between the containers of a cluster.
type spec struct {
	name, role, image string
	address           netip.Addr
	command           []string
	// files are asked for when the container exists, and may wait for what is still being made; nil is none.
	files     func(context.Context) ([]file, error)
	published map[int]publish
	host      func(*container.HostConfig)
}

// publish is where a container's port appears on this machine.
type publish struct {
	address  string
	port     int
	protocol string
}

// file is one file to be put into a container before it starts.
type file struct {
	path string
	data []byte
	mode int64
}

func (b *boot) startNode(ctx context.Context, n cluster.Node, shape kindconfig.Node) error {
	description, err := b.describe(n.Name)
	if err != nil {
		return err
	}
	image := shape.Image
	if image == "" {
		image = b.cfg.NodeImage
	}
	caps, err := boundingSet()
	if err != nil {
		return err
	}
	_, err = b.run(ctx, spec{
		name: n.Name, role: n.Role, image: image, address: netip.MustParseAddr(n.Address),
		files:     b.withPKI(n.Name, file{descriptionPath, description, 0o644}),
		published: portMappings(shape),
		host: func(h *container.HostConfig) {
			asNode(h, caps)
			h.Mounts = append(h.Mounts, nodeMounts(shape, b.cfg.Overrides)...)
		},
	})
	return err
}

func portMappings(n kindconfig.Node) map[int]publish {
	published := map[int]publish{}
	for _, m := range n.ExtraPortMappings {
		published[m.ContainerPort] = publish{address: m.ListenAddress, port: m.HostPort, protocol: strings.ToLower(m.Protocol)}
	}
	return published
}

// nodeMounts are the volumes of the contract, the shape's extra mounts and the overriding executables.
func nodeMounts(n kindconfig.Node, overrides map[string]string) []mount.Mount {
	var mounts []mount.Mount
	for _, path := range []string{"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/log/pods"} {
		mounts = append(mounts, mount.Mount{Type: mount.TypeVolume, Target: path})
	}
	for _, m := range n.ExtraMounts {
		mounts = append(mounts, mount.Mount{Type: mount.TypeBind, Source: m.HostPath, Target: m.ContainerPath, ReadOnly: m.ReadOnly})
	}
	for component, path := range overrides {
		mounts = append(mounts, mount.Mount{Type: mount.TypeBind, Source: path, Target: filepath.Join("/opt/plumb/override", component), ReadOnly: true})
	}
	return mounts
}

func (b *boot) startBalancer(ctx context.Context) error {
	description, err := b.describe("")
	if err != nil {
		return err
	}
	api := b.cfg.Shape.Networking
	_, err = b.run(ctx, spec{
		name: b.plan.cluster + "-balancer", role: balancerRole, image: b.cfg.NodeImage, address: b.plan.balancer,
		command:   []string{"balancer", descriptionPath},
		files:     b.withPKI(balancerRole, file{descriptionPath, description, 0o644}),
		published: map[int]publish{apiPort: {address: api.APIServerAddress, port: api.APIServerPort}},
	})
	if err != nil {
		return err
	}
	return b.publishKubeconfig(ctx)
}

func (b *boot) startRegistry(ctx context.Context) error {
	_, err := b.run(ctx, spec{
		name: b.plan.cluster + "-registry", role: registryRole, image: b.cfg.RegistryImage, address: b.plan.registry,
		published: map[int]publish{registryPort: {address: "127.0.0.1"}},
	})
	return err
}

// run creates and starts one container.
func (b *boot) run(ctx context.Context, s spec) (testcontainers.Container, error) {
	request := testcontainers.ContainerRequest{
		Image: s.image, Name: s.name, Cmd: s.command,
		Labels:         map[string]string{clusterLabel: b.plan.cluster, roleLabel: s.role},
		Networks:       []string{networkName(b.plan.cluster)},
		ExposedPorts:   exposed(s.published), // the library drops every binding of a port that is not named here
		ConfigModifier: func(c *container.Config) { c.Hostname = s.name },
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = bindings(s.published)
			if s.host != nil {
				s.host(h)
			}
		},
		EndpointSettingsModifier: func(e map[string]*network.EndpointSettings) {
			e[networkName(b.plan.cluster)].IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: s.address}
		},
	}
	if s.files != nil {
		// One archive for all files: the engine takes a quarter of a second for each copy.
		request.LifecycleHooks = []testcontainers.ContainerLifecycleHooks{{PostCreates: []testcontainers.ContainerHook{
			func(ctx context.Context, c testcontainers.Container) error {
				files, err := s.files(ctx)
				if err != nil {
					return err
				}
				return b.copyFiles(ctx, c.GetContainerID(), files)
			},
		}}}
	}
	c, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{ContainerRequest: request, Started: true, Logger: quiet{}})
	if err != nil {
		return nil, fmt.Errorf("start container %s from %s: %w", s.name, s.image, err)
	}
	return c, nil
}

// copyFiles unpacks files at the root of a container that has not started yet.
func (p *Provider) copyFiles(ctx context.Context, id string, files []file) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{Name: strings.TrimPrefix(f.path, "/"), Mode: f.mode, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if _, err := p.docker.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: &archive}); err != nil {
		return fmt.Errorf("copy %d files: %w", len(files), err)
	}
	return nil
}

func exposed(published map[int]publish) []string {
	var ports []string
	for port, p := range published {
		ports = append(ports, portOf(port, p.protocol).String())
	}
	return ports
}

func bindings(published map[int]publish) network.PortMap {
	ports := network.PortMap{}
	for port, p := range published {
		binding := network.PortBinding{}
		if p.address != "" {
			binding.HostIP = netip.MustParseAddr(p.address)
		}
		if p.port != 0 {
			binding.HostPort = strconv.Itoa(p.port)
		}
		ports[portOf(port, p.protocol)] = []network.PortBinding{binding}
	}
	return ports
}

func portOf(port int, protocol string) network.Port {
	if protocol == "" {
		protocol = "tcp"
	}
	return network.MustParsePort(fmt.Sprintf("%d/%s", port, protocol))
}

// quiet drops testcontainers' own progress lines: the provider prints its phases.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
