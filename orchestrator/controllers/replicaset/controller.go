// Package replicaset keeps the number of Pods that a ReplicaSet, or a ReplicationController, asks for, and counts them in its status.
//
// It owns the Pods that carry its controller reference and the set's status. The deployment controller and users feed it sets.
package replicaset

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/owned"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// Run keeps ReplicaSets until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	return run(ctx, w, sets(w), w.Settings.WorkersOf("replicaset"))
}

// RunReplicationControllers keeps ReplicationControllers until ctx ends.
func RunReplicationControllers(ctx context.Context, w *world.World) error {
	return run(ctx, w, replicationControllers(w), w.Settings.WorkersOf("rc"))
}

type controller struct {
	*world.World
	variant
	loop *loop.Loop
	own  loop.Own
	// doomed are pods that were deleted but that the cache may still show as running.
	doomed loop.Doomed
}

func run(ctx context.Context, w *world.World, v variant, workers int) error {
	c := &controller{World: w, variant: v}
	c.loop = loop.New(ctx, workers, w.Logger, c.sync)
	if v.kind == "ReplicaSet" {
		loop.Keys[apps.ReplicaSet](c.loop, v.informer)
	} else {
		loop.Keys[core.ReplicationController](c.loop, v.informer)
	}
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), c.podChanged)
	return c.loop.Run(ctx)
}

func (c *controller) podChanged(old, new *core.Pod) {
	for _, p := range []*core.Pod{old, new} {
		if p == nil {
			continue
		}
		if ref := meta.GetControllerOfNoCopy(p); ref != nil {
			if ref.Kind == c.kind && ref.APIVersion == c.apiVersion {
				c.loop.Add(p.Namespace + "/" + ref.Name)
			}
			continue
		}
		c.orphanChanged(p)
	}
	if new == nil {
		c.doomed.Gone(old.UID)
	}
}

// orphanChanged wakes the sets that might adopt the pod.
func (c *controller) orphanChanged(p *core.Pod) {
	if p.DeletionTimestamp != nil {
		return
	}
	all, err := c.informer.GetIndexer().ByIndex(cache.NamespaceIndex, p.Namespace)
	if err != nil {
		return
	}
	for _, obj := range all {
		o, ok := obj.(meta.Object)
		if !ok {
			continue
		}
		rs, _, err := c.get(o.GetNamespace(), o.GetName())
		if err == nil && selects(rs, p) {
			c.loop.Add(loop.Key(o))
		}
	}
}

func selects(rs *apps.ReplicaSet, p *core.Pod) bool {
	selector, err := meta.LabelSelectorAsSelector(rs.Spec.Selector)
	return err == nil && !selector.Empty() && selector.Matches(labels.Set(p.Labels))
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	rs, original, err := c.get(namespace, name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.own.Seen(key, c.Informers.Core().V1().Pods().Informer()) {
		return loop.ErrStale
	}
	mine, err := c.claim(ctx, rs)
	if err != nil {
		return err
	}
	active := c.active(mine)
	d := plan(rs, active, c.siblings(rs, active), time.Now())
	created, failure := c.create(ctx, key, rs, original, d.create)
	reason := "FailedCreate"
	if failure == nil {
		failure, reason = c.remove(ctx, original, d.remove), "FailedDelete"
	}
	next, wait := status(rs, mine, failure, reason, time.Now())
	_ = created // new pods are counted when the cache shows them, as stock does
	if wait > 0 {
		c.loop.After(key, wait+100*time.Millisecond)
	}
	return errors.Join(quiet(failure), c.writeStatus(ctx, rs, next))
}

// quiet is a failure that is worth another try.
func quiet(err error) error {
	if err == nil || apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

func (c *controller) active(mine []*core.Pod) []*core.Pod {
	var out []*core.Pod
	for _, p := range mine {
		if !c.doomed.Has(p.UID) && pods.Active(p) {
			out = append(out, p)
		}
	}
	return out
}

// siblings are the active pods of all sets with the same controller.
func (c *controller) siblings(rs *apps.ReplicaSet, own []*core.Pod) []*core.Pod {
	owner := meta.GetControllerOfNoCopy(rs)
	if owner == nil {
		return own
	}
	var out []*core.Pod
	for _, sibling := range owned.Of[apps.ReplicaSet](c.informer.GetIndexer(), owner.UID) {
		out = append(out, c.active(owned.Of[core.Pod](c.Informers.Core().V1().Pods().Informer().GetIndexer(), sibling.UID))...)
	}
	return out
}

func (c *controller) ref(rs *apps.ReplicaSet) meta.OwnerReference {
	yes := true
	return meta.OwnerReference{APIVersion: c.apiVersion, Kind: c.kind, Name: rs.Name, UID: rs.UID, Controller: &yes, BlockOwnerDeletion: &yes}
}

func (c *controller) claim(ctx context.Context, rs *apps.ReplicaSet) ([]*core.Pod, error) {
	selector, err := meta.LabelSelectorAsSelector(rs.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector of %s: %w", rs.Name, err)
	}
	return owned.Run(ctx, owned.Claim[core.Pod]{
		Owner: rs, Ref: c.ref(rs), Selector: selector, Indexer: c.Informers.Core().V1().Pods().Informer().GetIndexer(),
		Alive: func(ctx context.Context) (meta.Object, error) { return c.read(ctx, rs.Namespace, rs.Name) },
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.CoreV1().Pods(rs.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
}

// create makes n pods in batches that double, so that a set whose pods are refused asks only once.
func (c *controller) create(ctx context.Context, key string, rs *apps.ReplicaSet, original runtime.Object, n int) (int, error) {
	created := 0
	for batch := 1; created < n; batch *= 2 {
		batch = min(batch, n-created)
		errs := make([]error, batch)
		var all sync.WaitGroup
		for i := range batch {
			all.Go(func() {
				pod, err := c.Client.CoreV1().Pods(rs.Namespace).Create(ctx, pods.FromTemplate(&rs.Spec.Template, rs.Namespace, c.ref(rs)), meta.CreateOptions{})
				if err != nil {
					if !apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
						c.Events.Eventf(original, core.EventTypeWarning, "FailedCreate", "Error creating: %v", err)
					}
					errs[i] = err
					return
				}
				c.own.Wrote(key, pod.ResourceVersion)
				c.Events.Eventf(original, core.EventTypeNormal, "SuccessfulCreate", "Created pod: %v", pod.Name)
			})
		}
		all.Wait()
		created += batch
		for _, err := range errs {
			if err != nil {
				return created, err
			}
		}
	}
	return created, nil
}

func (c *controller) remove(ctx context.Context, original runtime.Object, victims []*core.Pod) error {
	errs := make([]error, len(victims))
	var all sync.WaitGroup
	for i, p := range victims {
		all.Go(func() {
			err := c.doomed.Delete(p.UID, func() error {
				return c.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(p.UID))})
			})
			if err != nil && !apierrors.IsNotFound(err) {
				c.Events.Eventf(original, core.EventTypeWarning, "FailedDelete", "Error deleting: %v", err)
				errs[i] = err
				return
			}
			if err == nil {
				c.Events.Eventf(original, core.EventTypeNormal, "SuccessfulDelete", "Deleted pod: %v", p.Name)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *controller) writeStatus(ctx context.Context, rs *apps.ReplicaSet, next apps.ReplicaSetStatus) error {
	if c.kind == "ReplicationController" {
		next.TerminatingReplicas = nil
	}
	if equality.Semantic.DeepEqual(rs.Status, next) {
		return nil
	}
	rs = rs.DeepCopy()
	rs.Status = next
	_, err := c.write(ctx, rs)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
