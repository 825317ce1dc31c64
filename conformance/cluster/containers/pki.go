package containers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"k8s.io/client-go/tools/clientcmd"
)

const kubeconfigPath = "/etc/plumb/admin.conf"

// makePKI runs the image's pki word once and keeps what it wrote.
func (b *boot) makePKI(ctx context.Context) error {
	description, err := b.describe("")
	if err != nil {
		return err
	}
	c, err := b.run(ctx, spec{
		name: b.plan.cluster + "-pki", role: "pki", image: b.cfg.NodeImage, address: b.plan.maker,
		command: []string{"pki", descriptionPath, "/pki.tar"},
		files: func(context.Context) ([]file, error) {
			return []file{{descriptionPath, description, 0o644}}, nil
		},
	})
	if err != nil {
		return err
	}
	id := c.GetContainerID()
	if err := b.exited(ctx, id); err != nil {
		return fmt.Errorf("make the PKI: %w", err)
	}
	copied, err := b.docker.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: "/pki.tar"})
	if err != nil {
		return fmt.Errorf("fetch the PKI: %w", err)
	}
	defer copied.Content.Close()
	if err := b.readPKI(copied.Content); err != nil {
		return fmt.Errorf("read the PKI: %w", err)
	}
	b.leftover = id // removed once the cluster has started: nothing waits for it
	return nil
}

// withPKI waits for the PKI and returns its files for a container, with others; the balancer also keeps the administrator's kubeconfig.
func (b *boot) withPKI(owner string, others ...file) func(context.Context) ([]file, error) {
	return func(ctx context.Context) ([]file, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.pkiMade:
		}
		all := append(others, b.pki[owner]...)
		if owner == balancerRole {
			all = append(all, file{kubeconfigPath, b.kubeconfig, 0o600})
		}
		return all, nil
	}
}

// exited waits for a container's end; an exit code other than 0 is an error that carries its output.
func (p *Provider) exited(ctx context.Context, id string) error {
	wait := p.docker.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case err := <-wait.Error:
		return err
	case result := <-wait.Result:
		if result.StatusCode == 0 {
			return nil
		}
		return fmt.Errorf("exit code %d: %s", result.StatusCode, p.output(ctx, id))
	}
}

// readPKI unpacks the tar within the tar: the engine copies files as tar streams.
func (b *boot) readPKI(stream io.Reader) error {
	outer := tar.NewReader(stream)
	if _, err := outer.Next(); err != nil {
		return err
	}
	inner := tar.NewReader(outer)
	b.pki = map[string][]file{}
	for {
		header, err := inner.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(inner)
		if err != nil {
			return err
		}
		b.sortPKI(strings.TrimPrefix(header.Name, "./"), data, header.Mode)
	}
	if b.kubeconfig == nil {
		return errors.New("it has no admin.conf")
	}
	return nil
}

// sortPKI puts one file of the PKI where it belongs: nodes/NAME/REST, balancer/REST or admin.conf.
func (b *boot) sortPKI(name string, data []byte, mode int64) {
	if name == "admin.conf" {
		b.kubeconfig = data
		return
	}
	owner, rest, _ := strings.Cut(name, "/")
	if owner == "nodes" {
		owner, rest, _ = strings.Cut(rest, "/")
	}
	b.pki[owner] = append(b.pki[owner], file{"/etc/plumb/pki/" + rest, data, mode})
}

// publishKubeconfig rewrites the administrator's kubeconfig to the address at which this machine reaches the balancer.
func (b *boot) publishKubeconfig(ctx context.Context) error {
	server, err := b.publishedAPI(ctx, b.plan.cluster)
	if err != nil {
		return err
	}
	b.kubeconfig, err = withServer(b.kubeconfig, server)
	return err
}

func withServer(kubeconfig []byte, server string) ([]byte, error) {
	cfg, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read admin.conf: %w", err)
	}
	for _, c := range cfg.Clusters {
		c.Server = server
	}
	return clientcmd.Write(*cfg)
}

// publishedAPI is the URL of a cluster's balancer on this machine. The engine may need a moment to report the port it chose.
func (p *Provider) publishedAPI(ctx context.Context, cluster string) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		inspected, err := p.docker.ContainerInspect(ctx, cluster+"-balancer", client.ContainerInspectOptions{})
		if err != nil {
			return "", fmt.Errorf("cluster %s has no balancer: %w", cluster, err)
		}
		if ports := inspected.Container.NetworkSettings.Ports[portOf(apiPort, "tcp")]; len(ports) > 0 {
			return fmt.Sprintf("https://%s:%s", ports[0].HostIP, ports[0].HostPort), nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
		}
	}
}
