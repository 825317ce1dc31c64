// Package runtime is the kubelet's only way to the container runtime: CRI calls, and what they show of a pod.
//
// It owns the labels and annotations by which pods and containers are found again (stock's, so that kubelets can be exchanged under
// running pods) and the translation of a Pod into sandbox and container configs. It decides nothing: workers ask it for facts and hand it
// actions. Facts always come from listing; events only wake.
package runtime

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	cri "k8s.io/cri-client/pkg"
)

// Labels and annotations that outlive a kubelet.
const (
	LabelPodName       = "io.kubernetes.pod.name"
	LabelPodNamespace  = "io.kubernetes.pod.namespace"
	LabelPodUID        = "io.kubernetes.pod.uid"
	LabelContainerName = "io.kubernetes.container.name"

	annotationHash          = "io.kubernetes.container.hash"
	annotationRestartCount  = "io.kubernetes.container.restartCount"
	annotationMessagePath   = "io.kubernetes.container.terminationMessagePath"
	annotationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy"
	annotationPreStop       = "io.kubernetes.container.preStopHandler"
	annotationPorts         = "io.kubernetes.container.ports"
	annotationGrace         = "io.kubernetes.pod.terminationGracePeriod"
	annotationDeletionGrace = "io.kubernetes.pod.deletionGracePeriod"
)

// Config of a client.
type Config struct {
	// Endpoint of the runtime's socket; ImageEndpoint is another one for images, empty the same.
	Endpoint, ImageEndpoint string
	// Timeout bounds every CRI call but those that wait by nature (pull, stop, exec).
	Timeout time.Duration
	// Rules hold for every container of the node.
	Rules  Rules
	Logger *slog.Logger
}

// Client speaks CRI and remembers what can no longer change: the status of containers that have exited.
type Client struct {
	internalapi.RuntimeService
	internalapi.ImageManagerService
	// Name of the runtime, as container IDs in a pod's status begin: containerd.
	Name   string
	rules  Rules
	exited exitedCache
	logger *slog.Logger
}

// Dial connects to a CRI endpoint. It waits until the runtime answers or ctx ends.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	for {
		c, err := dial(ctx, cfg)
		if err == nil {
			return c, nil
		}
		cfg.Logger.Info("the container runtime does not answer yet", "endpoint", cfg.Endpoint, "err", err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to %s: %w", cfg.Endpoint, err)
		case <-time.After(time.Second):
		}
	}
}

func dial(ctx context.Context, cfg Config) (*Client, error) {
	runtime, err := cri.NewRemoteRuntimeServiceBuilder().WithEndpoint(cfg.Endpoint).WithConnectionTimeout(cfg.Timeout).WithUseStreaming(false).Build(ctx)
	if err != nil {
		return nil, err
	}
	endpoint := cmp.Or(cfg.ImageEndpoint, cfg.Endpoint)
	images, err := cri.NewRemoteImageServiceBuilder().WithEndpoint(endpoint).WithConnectionTimeout(cfg.Timeout).WithUseStreaming(false).Build(ctx)
	if err != nil {
		return nil, err
	}
	c := &Client{RuntimeService: runtime, ImageManagerService: images, rules: cfg.Rules, logger: cfg.Logger}
	version, err := c.Version(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("ask for the runtime's version: %w", err)
	}
	c.Name = version.RuntimeName
	return c, nil
}

// Close ends both connections.
func (c *Client) Close(ctx context.Context) error {
	return c.RuntimeService.Close(ctx)
}

// Wake receives the UID of each pod that something happened to, and is asked to look at everything when UID is empty.
type Wake func(uid string)

const (
	relistConnected    = 10 * time.Second
	relistDisconnected = time.Second
)

// Events drains the runtime's event stream for as long as ctx lives. While there is no stream, everything is looked at every second;
// with it, every ten.
func (c *Client) Events(ctx context.Context, wake Wake) {
	events := make(chan *runtimeapi.ContainerEventResponse, 100)
	connected := make(chan bool, 1)
	go c.stream(ctx, events, connected)
	period := relistDisconnected
	timer := time.NewTimer(period)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case up := <-connected:
			period = relistDisconnected
			if up {
				period = relistConnected
			}
			wake("")
			timer.Reset(period)
		case event := <-events:
			if uid := event.GetPodSandboxStatus().GetMetadata().GetUid(); uid != "" {
				wake(uid)
			}
		case <-timer.C:
			wake("")
			timer.Reset(period)
		}
	}
}

// stream keeps one event stream open, again a second after it broke.
func (c *Client) stream(ctx context.Context, events chan *runtimeapi.ContainerEventResponse, connected chan<- bool) {
	tell := func(up bool) {
		select {
		case connected <- up:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		err := c.GetContainerEvents(ctx, events, func(runtimeapi.RuntimeService_GetContainerEventsClient) { tell(true) })
		if ctx.Err() != nil {
			return
		}
		c.logger.Info("the runtime's event stream ended", "err", err)
		tell(false)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
