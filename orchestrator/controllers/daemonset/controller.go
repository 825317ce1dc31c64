// Package daemonset keeps one pod of a DaemonSet on every node that it fits, and replaces them within the update strategy's limits.
//
// It owns those Pods, their ControllerRevisions and the set's status. DaemonSets, Nodes and Pods feed it. Each pod is aimed at its node by
// affinity: the scheduler binds it.
package daemonset

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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/owned"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop      *loop.Loop
	own, revs loop.Own
	// failures slows the replacement of daemons that keep failing on a node.
	failures *flowcontrol.Backoff
	doomed   sync.Map
}

// Run keeps DaemonSets until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w, failures: flowcontrol.NewBackOff(time.Second, 15*time.Minute)}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("daemonset"), w.Logger, c.sync)
	loop.Keys[apps.DaemonSet](c.loop, w.Informers.Apps().V1().DaemonSets().Informer())
	loop.On(c.loop, w.Informers.Apps().V1().ControllerRevisions().Informer(), func(old, new *apps.ControllerRevision) {
		loop.Owners(c.loop, "DaemonSet", old, new, func(r *apps.ControllerRevision) { c.wakeAdopters(r) })
	})
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		loop.Owners(c.loop, "DaemonSet", old, new, func(p *core.Pod) { c.wakeAdopters(p) })
		if new == nil {
			c.doomed.Delete(old.UID)
		}
	})
	loop.On(c.loop, w.Informers.Core().V1().Nodes().Informer(), func(old, new *core.Node) {
		if old != nil && new != nil && equality.Semantic.DeepEqual(old.Spec.Taints, new.Spec.Taints) && equality.Semantic.DeepEqual(old.Labels, new.Labels) && old.Spec.Unschedulable == new.Spec.Unschedulable {
			return
		}
		c.all(func(*apps.DaemonSet) bool { return true })
	})
	return c.loop.Run(ctx)
}

// wakeAdopters wakes the sets that may take an orphan.
func (c *controller) wakeAdopters(o meta.Object) {
	c.all(func(ds *apps.DaemonSet) bool {
		selector, err := meta.LabelSelectorAsSelector(ds.Spec.Selector)
		return ds.Namespace == o.GetNamespace() && err == nil && !selector.Empty() && selector.Matches(labels.Set(o.GetLabels()))
	})
}

func (c *controller) all(match func(*apps.DaemonSet) bool) {
	sets, err := c.Informers.Apps().V1().DaemonSets().Lister().List(labels.Everything())
	if err != nil {
		return
	}
	for _, ds := range sets {
		if match(ds) {
			c.loop.Add(loop.Key(ds))
		}
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	ds, err := c.Informers.Apps().V1().DaemonSets().Lister().DaemonSets(namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && ds.DeletionTimestamp != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.own.Seen(key, c.Informers.Core().V1().Pods().Informer()) || !c.revs.Seen(key, c.Informers.Apps().V1().ControllerRevisions().Informer()) {
		return loop.ErrStale
	}
	mine, history, err := c.claim(ctx, ds)
	if err != nil {
		return err
	}
	owner := revision.Owner{Object: ds, Ref: *meta.NewControllerRef(ds, apps.SchemeGroupVersion.WithKind("DaemonSet")), Template: &ds.Spec.Template, Collisions: ds.Status.CollisionCount}
	current, err := revision.Current(ctx, c.Client, owner, history)
	if errors.Is(err, revision.ErrCollision) {
		return errors.Join(err, c.collided(ctx, ds))
	}
	if err != nil {
		return err
	}
	c.revs.Wrote(key, current.ResourceVersion)
	nodes, err := c.Informers.Core().V1().Nodes().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	s := &situation{ds: ds, hash: current.Labels[revision.Label], nodes: nodes, byNode: map[string][]*core.Pod{}, now: time.Now(), places: survey(ds, nodes)}
	for _, p := range mine {
		if _, gone := c.doomed.Load(p.UID); gone && p.DeletionTimestamp == nil {
			p = p.DeepCopy()
			p.DeletionTimestamp = &meta.Time{Time: s.now} // deleted by us: the cache does not show it yet
		}
		s.byNode[nodeOf(p)] = append(s.byNode[nodeOf(p)], p)
	}
	w := s.manage()
	if len(w.create) == 0 && len(w.remove) == 0 {
		w = s.roll()
	}
	failed := c.apply(ctx, key, s, w)
	used := func(r *apps.ControllerRevision) bool {
		if r.Name == current.Name {
			return true
		}
		for _, p := range mine {
			if p.Labels[revision.Label] == r.Labels[revision.Label] {
				return true
			}
		}
		return false
	}
	if failed == nil {
		failed = revision.Truncate(ctx, c.Client, history, ds.Spec.RevisionHistoryLimit, used)
	}
	next, wait := s.status()
	if wait > 0 {
		c.loop.After(key, wait+100*time.Millisecond)
	}
	return errors.Join(failed, c.writeStatus(ctx, ds, next))
}

func (c *controller) claim(ctx context.Context, ds *apps.DaemonSet) ([]*core.Pod, []*apps.ControllerRevision, error) {
	selector, err := meta.LabelSelectorAsSelector(ds.Spec.Selector)
	if err != nil {
		return nil, nil, fmt.Errorf("selector of %s: %w", ds.Name, err)
	}
	ref := *meta.NewControllerRef(ds, apps.SchemeGroupVersion.WithKind("DaemonSet"))
	alive := func(ctx context.Context) (meta.Object, error) {
		return c.Client.AppsV1().DaemonSets(ds.Namespace).Get(ctx, ds.Name, meta.GetOptions{})
	}
	mine, err := owned.Run(ctx, owned.Claim[core.Pod]{
		Owner: ds, Ref: ref, Selector: selector, Indexer: c.Informers.Core().V1().Pods().Informer().GetIndexer(), Alive: alive,
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.CoreV1().Pods(ds.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
	if err != nil {
		return nil, nil, err
	}
	history, err := owned.Run(ctx, owned.Claim[apps.ControllerRevision]{
		Owner: ds, Ref: ref, Selector: selector, Indexer: c.Informers.Apps().V1().ControllerRevisions().Informer().GetIndexer(), Alive: alive,
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.AppsV1().ControllerRevisions(ds.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
	revision.Sort(history)
	return mine, history, err
}

func (c *controller) apply(ctx context.Context, key string, s *situation, w work) error {
	for _, p := range w.failed {
		slot := string(s.ds.UID) + "/" + nodeOf(p)
		if c.failures.IsInBackOffSinceUpdate(slot, s.now) {
			c.loop.After(key, c.failures.Get(slot))
			w.remove = without(w.remove, p)
			continue
		}
		c.failures.Next(slot, s.now)
		if p.Status.Phase == core.PodSucceeded {
			c.Events.Eventf(s.ds, core.EventTypeNormal, "SucceededDaemonPod", "Found succeeded daemon pod %s/%s on node %s, will try to delete it", p.Namespace, p.Name, nodeOf(p))
		} else {
			c.Events.Eventf(s.ds, core.EventTypeWarning, "FailedDaemonPod", "Found failed daemon pod %s/%s on node %s, will try to kill it", p.Namespace, p.Name, nodeOf(p))
		}
	}
	var failed error
	for _, node := range w.create {
		p, err := c.Client.CoreV1().Pods(s.ds.Namespace).Create(ctx, daemon(s.ds, node, s.hash), meta.CreateOptions{})
		if err != nil {
			if apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
				return nil
			}
			c.Events.Eventf(s.ds, core.EventTypeWarning, "FailedCreate", "Error creating: %v", err)
			failed = errors.Join(failed, err)
			break // the next one would be refused for the same reason
		}
		c.own.Wrote(key, p.ResourceVersion)
		c.Events.Eventf(s.ds, core.EventTypeNormal, "SuccessfulCreate", "Created pod: %v", p.Name)
	}
	for _, p := range w.remove {
		err := c.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(p.UID))})
		switch {
		case err == nil:
			c.doomed.Store(p.UID, true)
			c.Events.Eventf(s.ds, core.EventTypeNormal, "SuccessfulDelete", "Deleted pod: %v", p.Name)
		case !apierrors.IsNotFound(err):
			c.Events.Eventf(s.ds, core.EventTypeWarning, "FailedDelete", "Error deleting: %v", err)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func without(list []*core.Pod, gone *core.Pod) []*core.Pod {
	var out []*core.Pod
	for _, p := range list {
		if p != gone {
			out = append(out, p)
		}
	}
	return out
}

func (c *controller) collided(ctx context.Context, ds *apps.DaemonSet) error {
	next, count := *ds.Status.DeepCopy(), int32(1)
	if next.CollisionCount != nil {
		count += *next.CollisionCount
	}
	next.CollisionCount = &count
	return c.writeStatus(ctx, ds, next)
}

func (c *controller) writeStatus(ctx context.Context, ds *apps.DaemonSet, next apps.DaemonSetStatus) error {
	if equality.Semantic.DeepEqual(ds.Status, next) {
		return nil
	}
	ds = ds.DeepCopy()
	ds.Status = next
	_, err := c.Client.AppsV1().DaemonSets(ds.Namespace).UpdateStatus(ctx, ds, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
