// Package disruption keeps the status of PodDisruptionBudgets: how many of their pods may be evicted now. The eviction subresource obeys it.
//
// Budgets, Pods and the workloads that the Pods belong to feed it. It owns that status, and takes back DisruptionTarget conditions of pods that
// were not deleted after all.
package disruption

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop   *loop.Loop
	mapper *restmapper.DeferredDiscoveryRESTMapper
	scales scale.ScalesGetter
}

// Run keeps budgets until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.Discovery))}
	scales, err := scale.NewForConfig(w.Config, c.mapper, dynamicPath, scale.NewDiscoveryScaleKindResolver(w.Discovery))
	if err != nil {
		return fmt.Errorf("scale client: %w", err)
	}
	c.scales = scales
	c.loop = loop.New(ctx, w.Settings.WorkersOf("disruption"), w.Logger, c.sync)
	loop.Keys[policy.PodDisruptionBudget](c.loop, w.Informers.Policy().V1().PodDisruptionBudgets().Informer())
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), c.podChanged)
	spared := loop.New(ctx, 1, w.Logger, c.spare)
	loop.On(spared, w.Informers.Core().V1().Pods().Informer(), func(_, new *core.Pod) {
		if new == nil || new.DeletionTimestamp != nil || pods.Ended(new) {
			return
		}
		if t := pods.Condition(new, core.DisruptionTarget); t != nil && t.Status == core.ConditionTrue {
			spared.After(loop.Key(new), time.Until(t.LastTransitionTime.Add(stale)))
		}
	})
	done := make(chan error, 1)
	go func() { done <- spared.Run(ctx) }()
	err = c.loop.Run(ctx)
	if other := <-done; err == nil {
		err = other
	}
	return err
}

func dynamicPath(kind schema.GroupVersionKind) string {
	if kind.Group == "" {
		return "/api"
	}
	return "/apis"
}

func (c *controller) podChanged(old, new *core.Pod) {
	for _, p := range []*core.Pod{old, new} {
		if p == nil {
			continue
		}
		all, err := c.Informers.Policy().V1().PodDisruptionBudgets().Lister().PodDisruptionBudgets(p.Namespace).List(labels.Everything())
		if err != nil {
			continue
		}
		for _, pdb := range all {
			if selector, err := meta.LabelSelectorAsSelector(pdb.Spec.Selector); err == nil && selector.Matches(labels.Set(p.Labels)) {
				c.loop.Add(loop.Key(pdb))
			}
		}
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	pdb, err := c.Informers.Policy().V1().PodDisruptionBudgets().Lister().PodDisruptionBudgets(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	selector, err := meta.LabelSelectorAsSelector(pdb.Spec.Selector)
	if err != nil {
		return errors.Join(err, c.write(ctx, pdb, failed(pdb, err)))
	}
	matching, err := c.Informers.Core().V1().Pods().Lister().Pods(namespace).List(selector)
	if err != nil {
		return err
	}
	if len(matching) == 0 {
		c.Events.Eventf(pdb, core.EventTypeNormal, "NoPods", "No matching pods found")
	}
	expected, healthy, err := needs(pdb, len(matching), func() (int32, error) {
		total, unmanaged, err := c.sizes(ctx, matching)
		if err == nil && unmanaged {
			c.Events.Eventf(pdb, core.EventTypeWarning, "UnmanagedPods", "Pods selected by this PodDisruptionBudget (selector: %v) were found to be unmanaged. "+
				"As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "+
				"To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.", pdb.Spec.Selector)
		}
		return total, err
	})
	if err != nil {
		c.Events.Eventf(pdb, core.EventTypeWarning, "CalculateExpectedPodCountFailed", "Failed to calculate the number of expected pods: %v", err)
		return errors.Join(err, c.write(ctx, pdb, failed(pdb, err))) // what it depends on may change without an event of a pod or a budget
	}
	kept, again := disrupted(pdb, matching, time.Now())
	if again > 0 {
		c.loop.After(key, again)
	}
	return c.write(ctx, pdb, status(pdb, matching, expected, healthy, kept))
}

// sizes adds up what the pods' controllers, or the controllers of those, ask for. unmanaged: some pod has none, and is in no sum.
func (c *controller) sizes(ctx context.Context, matching []*core.Pod) (total int32, unmanaged bool, err error) {
	counted := map[types.UID]bool{}
	for _, p := range matching {
		ref := meta.GetControllerOf(p)
		if ref == nil {
			unmanaged = true
			continue
		}
		if ref.Kind == "ReplicaSet" {
			if rs, err := c.Informers.Apps().V1().ReplicaSets().Lister().ReplicaSets(p.Namespace).Get(ref.Name); err == nil {
				if upper := meta.GetControllerOf(rs); upper != nil {
					ref = upper
				}
			}
		}
		if counted[ref.UID] {
			continue
		}
		counted[ref.UID] = true
		n, err := c.size(ctx, p.Namespace, ref)
		if err != nil {
			return 0, false, err
		}
		total += n
	}
	return total, unmanaged, nil
}

func (c *controller) size(ctx context.Context, namespace string, ref *meta.OwnerReference) (int32, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return 0, err
	}
	mapping, err := c.mapper.RESTMapping(gv.WithKind(ref.Kind).GroupKind(), gv.Version)
	if err != nil {
		return 0, err
	}
	s, err := c.scales.Scales(namespace).Get(ctx, mapping.Resource.GroupResource(), ref.Name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("%s does not implement the scale subresource", mapping.Resource.GroupResource())
	}
	if err != nil {
		return 0, err
	}
	return s.Spec.Replicas, nil
}

func (c *controller) write(ctx context.Context, pdb *policy.PodDisruptionBudget, next policy.PodDisruptionBudgetStatus) error {
	if equality.Semantic.DeepEqual(pdb.Status, next) {
		return nil
	}
	pdb = pdb.DeepCopy()
	pdb.Status = next
	_, err := c.Client.PolicyV1().PodDisruptionBudgets(pdb.Namespace).UpdateStatus(ctx, pdb, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// spare a pod that was to be disrupted and still runs.
func (c *controller) spare(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	p, err := c.Informers.Core().V1().Pods().Lister().Pods(namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && (p.DeletionTimestamp != nil || pods.Ended(p)) {
		return nil
	}
	if err != nil {
		return err
	}
	t := pods.Condition(p, core.DisruptionTarget)
	if t == nil || t.Status != core.ConditionTrue || time.Since(t.LastTransitionTime.Time) < stale {
		return nil
	}
	condition := core.PodCondition{Type: core.DisruptionTarget, Status: core.ConditionFalse, LastTransitionTime: meta.Now(), ObservedGeneration: p.Generation}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": map[string]any{"conditions": []core.PodCondition{condition}}})
	if err != nil {
		return err
	}
	_, err = c.Client.CoreV1().Pods(namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
