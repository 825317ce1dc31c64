// Package nodeipam gives each node its range of pod addresses (spec.podCIDRs), cut from the cluster's.
//
// It owns that field while it is empty; what is there already is respected. The pod network of each node is fed by it.
package nodeipam

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	// mu guards the pools.
	mu    sync.Mutex
	pools []*pool
}

// Run gives ranges until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	if !w.Settings.AllocateNodeCIDRs {
		<-ctx.Done()
		return nil
	}
	pools, err := newPools(w.Settings.ClusterCIDR, w.Settings.ServiceCIDR, w.Settings.NodeCIDRMaskIPv4, w.Settings.NodeCIDRMaskIPv6)
	if err != nil {
		return err
	}
	c := &controller{World: w, pools: pools}
	nodes := w.Informers.Core().V1().Nodes()
	if !cache.WaitForCacheSync(ctx.Done(), nodes.Informer().HasSynced) {
		return nil
	}
	all, err := nodes.Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	for _, node := range all {
		c.occupy(node)
	}
	c.loop = loop.New(ctx, 1, w.Logger, c.sync)
	loop.On(c.loop, nodes.Informer(), func(old, new *core.Node) {
		if new == nil {
			c.release(old)
			return
		}
		c.occupy(new)
		c.loop.Add(new.Name)
	})
	return c.loop.Run(ctx)
}

func (c *controller) each(node *core.Node, f func(*pool, netip.Prefix)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range node.Spec.PodCIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		for _, p := range c.pools {
			f(p, prefix)
		}
	}
}

func (c *controller) occupy(node *core.Node) { c.each(node, (*pool).occupy) }

func (c *controller) release(node *core.Node) { c.each(node, (*pool).free) }

func (c *controller) sync(ctx context.Context, name string) error {
	node, err := c.Informers.Core().V1().Nodes().Lister().Get(name)
	if apierrors.IsNotFound(err) || err == nil && len(node.Spec.PodCIDRs) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	blocks, ok := c.take()
	if !ok {
		c.Events.Event(node, core.EventTypeNormal, "CIDRNotAvailable", fmt.Sprintf("Node %s status is now: CIDRNotAvailable", name))
		return fmt.Errorf("no range is left in %s for node %s", c.Settings.ClusterCIDR, name)
	}
	texts := make([]string, len(blocks))
	for i, b := range blocks {
		texts[i] = b.String()
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": node.UID}, "spec": map[string]any{"podCIDR": texts[0], "podCIDRs": texts},
	})
	if err != nil {
		return err
	}
	// A live read keeps us from giving a second range to a node that the cache shows without its first.
	live, err := c.Client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err == nil && len(live.Spec.PodCIDRs) == 0 {
		_, err = c.Client.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
		if err == nil {
			return nil
		}
	}
	c.putBack(blocks)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *controller) take() ([]netip.Prefix, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []netip.Prefix
	for _, p := range c.pools {
		block, ok := p.take()
		if !ok {
			for i, b := range out {
				c.pools[i].free(b)
			}
			return nil, false
		}
		out = append(out, block)
	}
	return out, true
}

func (c *controller) putBack(blocks []netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, b := range blocks {
		c.pools[i].free(b)
	}
}
