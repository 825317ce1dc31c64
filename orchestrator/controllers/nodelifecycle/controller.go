// Package nodelifecycle judges nodes by their heartbeats: it marks silent ones, taints nodes by their conditions, marks pods of unready nodes
// as not ready, and holds evictions back where a whole zone is in trouble.
//
// It owns the conditions of silent nodes and the node.kubernetes.io taints. Package tainteviction evicts by those taints.
package nodelifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	// health by node and eviction pace by zone: only the monitor's goroutine touches them.
	health map[string]*health
	paces  map[string]*pace
	loop   *loop.Loop
	// permit holds the nodes that may get a NoExecute taint.
	permit permits
}

// Run judges nodes until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w, health: map[string]*health{}, paces: map[string]*pace{}}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("node"), w.Logger, c.sync)
	nodes, leases, allPods := w.Informers.Core().V1().Nodes(), w.Informers.Coordination().V1().Leases(), w.Informers.Core().V1().Pods()
	loop.Keys[core.Node](c.loop, nodes.Informer())
	if !cache.WaitForCacheSync(ctx.Done(), nodes.Informer().HasSynced, leases.Informer().HasSynced, allPods.Informer().HasSynced) {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- c.loop.Run(ctx) }()
	ticker := time.NewTicker(w.Settings.NodeMonitorPeriod)
	defer ticker.Stop()
	for {
		c.monitor(ctx)
		select {
		case <-ctx.Done():
			return <-done
		case <-ticker.C:
		}
	}
}

// monitor looks at every node once.
func (c *controller) monitor(ctx context.Context) {
	nodes, err := c.Informers.Core().V1().Nodes().Lister().List(labels.Everything())
	if err != nil {
		return
	}
	known := map[string]bool{}
	for _, node := range nodes {
		known[node.Name] = true
		h := c.health[node.Name]
		if h == nil {
			h = &health{}
			c.health[node.Name] = h
			c.Events.Eventf(ref(node), core.EventTypeNormal, "RegisteredNode", "Node %s event: Registered Node %s in Controller", node.Name, node.Name)
		}
		if err := c.judge(ctx, node, h); err != nil && ctx.Err() == nil {
			c.Logger.Warn("judge node", "node", node.Name, "error", err)
		}
	}
	for name := range c.health {
		if !known[name] {
			delete(c.health, name)
			c.permit.drop(name)
		}
	}
	c.zones(nodes, time.Now())
}

func ref(node *core.Node) *core.ObjectReference {
	return &core.ObjectReference{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}
}

func (c *controller) judge(ctx context.Context, node *core.Node, h *health) error {
	var lease *coordination.Lease
	if l, err := c.Informers.Coordination().V1().Leases().Lister().Leases(core.NamespaceNodeLease).Get(node.Name); err == nil {
		lease = l
	}
	conditions := h.look(node, lease, time.Now(), c.Settings.NodeMonitorGrace, c.Settings.NodeStartupGrace)
	if conditions != nil {
		node = node.DeepCopy()
		node.Status.Conditions = conditions
		written, err := c.Client.CoreV1().Nodes().UpdateStatus(ctx, node, meta.UpdateOptions{})
		if err != nil {
			return err
		}
		node, h.conds = written, written.Status.Conditions
	}
	ready := core.ConditionUnknown
	if condition := conditionOf(node.Status.Conditions, core.NodeReady); condition != nil {
		ready = condition.Status
	}
	if ready != core.ConditionTrue && (h.ready != ready || time.Since(h.notReady) > time.Minute) {
		if h.ready == core.ConditionTrue {
			c.Events.Eventf(ref(node), core.EventTypeNormal, "NodeNotReady", "Node %s status is now: NodeNotReady", node.Name)
		}
		if err := c.markPods(ctx, node); err != nil {
			return err
		}
		h.notReady = time.Now()
	}
	h.ready = ready
	return nil
}

// markPods makes the pods of an unready node not ready, so that no Service sends to them.
func (c *controller) markPods(ctx context.Context, node *core.Node) error {
	selector := fields.OneTermEqualSelector("spec.nodeName", node.Name).String()
	list, err := c.Client.CoreV1().Pods("").List(ctx, meta.ListOptions{FieldSelector: selector, ResourceVersion: "0"})
	if err != nil {
		return err
	}
	var failed error
	for i := range list.Items {
		p := &list.Items[i]
		condition := pods.Condition(p, core.PodReady)
		if condition == nil || condition.Status != core.ConditionTrue || p.Spec.NodeName != node.Name {
			continue
		}
		condition.Status, condition.LastTransitionTime = core.ConditionFalse, meta.Now()
		condition.ObservedGeneration = p.Generation
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": map[string]any{"conditions": []core.PodCondition{*condition}}})
		if err != nil {
			return err
		}
		_, err = c.Client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			failed = errors.Join(failed, err)
			continue
		}
		c.Events.Event(p, core.EventTypeWarning, "NodeNotReady", "Node is not ready")
	}
	return failed
}

// sync taints a node by its conditions.
func (c *controller) sync(ctx context.Context, name string) error {
	node, err := c.Informers.Core().V1().Nodes().Lister().Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.labels(ctx, node); err != nil {
		return err
	}
	next := taints(node, c.permit.of(name), time.Now())
	if equality.Semantic.DeepEqual(next, node.Spec.Taints) {
		return nil
	}
	if next == nil {
		next = []core.Taint{}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": node.UID, "resourceVersion": node.ResourceVersion}, "spec": map[string]any{"taints": next}})
	if err != nil {
		return err
	}
	_, err = c.Client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, meta.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// renamed are labels of old clients that follow those that took their place.
var renamed = map[string]string{"kubernetes.io/os": "beta.kubernetes.io/os", "kubernetes.io/arch": "beta.kubernetes.io/arch"}

func (c *controller) labels(ctx context.Context, node *core.Node) error {
	change := map[string]string{}
	for from, to := range renamed {
		if v := node.Labels[from]; v != "" && node.Labels[to] != v {
			change[to] = v
		}
	}
	if len(change) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": change}})
	if err != nil {
		return err
	}
	_, err = c.Client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, meta.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
