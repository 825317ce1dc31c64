package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// readyPoll is how often the boot asks whether a phase is over.
const readyPoll = 50 * time.Millisecond

// waitReady returns when the API answers, every node is Ready and cluster DNS has a ready endpoint; each is a phase, and end names the last one.
func waitReady(ctx context.Context, c *Cluster, end string, phases *phases) error {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(c.kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Timeout = -1, 5*time.Second
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	for _, phase := range []struct {
		end, name string
		over      func(context.Context) error
	}{
		{UntilAPI, "API answers", func(ctx context.Context) error { return api.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() }},
		{UntilNodes, "all nodes Ready", func(ctx context.Context) error { return nodesReady(ctx, api, len(c.nodes)) }},
		{UntilDNS, "DNS answers", func(ctx context.Context) error { return dnsReady(ctx, api) }},
	} {
		if err := until(ctx, phase.over); err != nil {
			return fmt.Errorf("%s: %w", phase.name, err)
		}
		phases.done(phase.name)
		if phase.end == end {
			break
		}
	}
	return nil
}

// until calls over until it returns nil; when ctx ends first, the error is the last one of over.
func until(ctx context.Context, over func(context.Context) error) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		err := over(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up after the boot's time-out: %w", err)
		case <-tick.C:
		}
	}
}

func nodesReady(ctx context.Context, api kubernetes.Interface, want int) error {
	nodes, err := api.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	for _, n := range nodes.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	if ready != want {
		return fmt.Errorf("%d of %d nodes are Ready (%d registered)", ready, want, len(nodes.Items))
	}
	return nil
}

func dnsReady(ctx context.Context, api kubernetes.Interface) error {
	slices, err := api.DiscoveryV1().EndpointSlices("kube-system").List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kube-dns"})
	if err != nil {
		return err
	}
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready {
				return nil
			}
		}
	}
	return errors.New("the kube-dns Service has no ready endpoint")
}

// phases prints how long each phase of a boot took.
type phases struct {
	to    io.Writer
	start time.Time
}

func newPhases(to io.Writer) *phases { return &phases{to: to, start: time.Now()} }

func (p *phases) done(name string) {
	if p.to != nil {
		fmt.Fprintf(p.to, "  %6.2fs  %s\n", time.Since(p.start).Seconds(), name)
	}
}
