// Package statefulset keeps the numbered pods of a StatefulSet, each with its own name and claims, in order unless the set is parallel.
//
// It owns those Pods, their PersistentVolumeClaims' creation and which of them the set or a pod owns, the set's ControllerRevisions and its status.
// StatefulSets and Pods feed it; the scheduler places what it makes.
package statefulset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/owned"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/revision"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop      *loop.Loop
	own, revs loop.Own
	doomed    sync.Map
}

// Run keeps StatefulSets until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("statefulset"), w.Logger, c.sync)
	loop.Keys[apps.StatefulSet](c.loop, w.Informers.Apps().V1().StatefulSets().Informer())
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		loop.Owners(c.loop, "StatefulSet", old, new, c.wakeAdopters)
		if new == nil {
			c.doomed.Delete(old.UID)
		}
	})
	loop.On(c.loop, w.Informers.Core().V1().PersistentVolumeClaims().Informer(), func(old, new *core.PersistentVolumeClaim) {
		if new == nil {
			c.wakeClaimants(old)
		}
	})
	return c.loop.Run(ctx)
}

// wakeAdopters wakes the sets that may take an orphan.
func (c *controller) wakeAdopters(p *core.Pod) {
	sets, err := c.Informers.Apps().V1().StatefulSets().Lister().StatefulSets(p.Namespace).List(labels.Everything())
	if err != nil {
		return
	}
	for _, set := range sets {
		if ordinalOf(set, p.Name) >= 0 {
			c.loop.Add(loop.Key(set))
		}
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	set, err := c.Informers.Apps().V1().StatefulSets().Lister().StatefulSets(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.own.Seen(key, c.Informers.Core().V1().Pods().Informer()) || !c.revs.Seen(key, c.Informers.Apps().V1().ControllerRevisions().Informer()) {
		return loop.ErrStale
	}
	mine, history, err := c.claim(ctx, set)
	if err != nil || set.DeletionTimestamp != nil {
		return err
	}
	owner := revision.Owner{Object: set, Ref: *meta.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("StatefulSet")), Template: &set.Spec.Template, Collisions: set.Status.CollisionCount}
	update, err := revision.Current(ctx, c.Client, owner, history)
	if errors.Is(err, revision.ErrCollision) {
		return errors.Join(err, c.collided(ctx, set))
	}
	if err != nil {
		return err
	}
	c.revs.Wrote(key, update.ResourceVersion)
	current := update
	if i := slices.IndexFunc(history, func(r *apps.ControllerRevision) bool { return r.Name == set.Status.CurrentRevision }); i >= 0 {
		current = history[i]
	}
	s := &situation{set: set, pods: map[int]*core.Pod{}, current: current.Name, update: update.Name, now: time.Now()}
	for _, p := range mine {
		if _, gone := c.doomed.Load(p.UID); gone && p.DeletionTimestamp == nil {
			p = p.DeepCopy()
			p.DeletionTimestamp = &meta.Time{Time: s.now} // deleted by us: the cache does not show it yet
		}
		if ordinal := ordinalOf(set, p.Name); ordinal >= 0 {
			s.pods[ordinal] = p
		}
	}
	failed := c.retain(ctx, s)
	if s.leaving, err = c.leaving(s); err != nil {
		return errors.Join(failed, err)
	}
	for _, step := range s.plan() {
		if failed != nil {
			break
		}
		r := current
		if step.update {
			r = update
		}
		failed = c.apply(ctx, key, set, step, r)
	}
	next := s.status()
	if s.wait > 0 {
		c.loop.After(key, s.wait+100*time.Millisecond)
	}
	if err := c.writeStatus(ctx, set, next); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, revision.Truncate(ctx, c.Client, history, set.Spec.RevisionHistoryLimit, func(r *apps.ControllerRevision) bool {
		return r.Name == current.Name || r.Name == update.Name ||
			slices.ContainsFunc(mine, func(p *core.Pod) bool { return p.Labels[revision.Label] == r.Name })
	}))
}

func (c *controller) claim(ctx context.Context, set *apps.StatefulSet) ([]*core.Pod, []*apps.ControllerRevision, error) {
	selector, err := meta.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return nil, nil, fmt.Errorf("selector of %s: %w", set.Name, err)
	}
	ref := *meta.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("StatefulSet"))
	alive := func(ctx context.Context) (meta.Object, error) {
		return c.Client.AppsV1().StatefulSets(set.Namespace).Get(ctx, set.Name, meta.GetOptions{})
	}
	mine, err := owned.Run(ctx, owned.Claim[core.Pod]{
		Owner: set, Ref: ref, Selector: selector, Indexer: c.Informers.Core().V1().Pods().Informer().GetIndexer(), Alive: alive,
		Adoptable: func(p *core.Pod) bool { return ordinalOf(set, p.Name) >= 0 },
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.CoreV1().Pods(set.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
	if err != nil {
		return nil, nil, err
	}
	history, err := owned.Run(ctx, owned.Claim[apps.ControllerRevision]{
		Owner: set, Ref: ref, Selector: selector, Indexer: c.Informers.Apps().V1().ControllerRevisions().Informer().GetIndexer(), Alive: alive,
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.AppsV1().ControllerRevisions(set.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
	revision.Sort(history)
	return mine, history, err
}

func (c *controller) apply(ctx context.Context, key string, set *apps.StatefulSet, step action, r *apps.ControllerRevision) error {
	api, name := c.Client.CoreV1().Pods(set.Namespace), podName(set, step.ordinal)
	switch step.kind {
	case create:
		p, err := build(set, step.ordinal, r)
		if err == nil {
			err = c.ensureClaims(ctx, set, name)
		}
		if err == nil {
			p, err = api.Create(ctx, p, meta.CreateOptions{})
		}
		if apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("%w: %w", err, loop.ErrStale)
		}
		if apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
			return nil
		}
		c.tell(set, "create", name, err)
		if err == nil {
			c.own.Wrote(key, p.ResourceVersion)
		}
		return err
	case repair:
		p, err := api.Update(ctx, step.pod, meta.UpdateOptions{})
		c.tell(set, "update", name, err)
		if err == nil {
			c.own.Wrote(key, p.ResourceVersion)
		}
		return err
	case replace:
		if step.pod.Status.Phase == core.PodFailed {
			c.Events.Eventf(set, core.EventTypeWarning, "RecreatingFailedPod", "StatefulSet %s/%s is recreating failed Pod %s", set.Namespace, set.Name, name)
		} else {
			c.Events.Eventf(set, core.EventTypeNormal, "RecreatingTerminatedPod", "StatefulSet %s/%s is recreating terminated Pod %s", set.Namespace, set.Name, name)
		}
	}
	err := api.Delete(ctx, name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(step.pod.UID))})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		c.doomed.Store(step.pod.UID, true)
	}
	c.tell(set, "delete", name, err)
	return err
}

// tell what was done to a pod, in an event of the set.
func (c *controller) tell(set *apps.StatefulSet, verb, pod string, err error) {
	reason := map[string]string{"create": "Create", "delete": "Delete", "update": "Update"}[verb]
	if err != nil {
		c.Events.Eventf(set, core.EventTypeWarning, "Failed"+reason, "%s Pod %s in StatefulSet %s failed error: %s", reason, pod, set.Name, err)
		return
	}
	c.Events.Eventf(set, core.EventTypeNormal, "Successful"+reason, "%s Pod %s in StatefulSet %s successful", reason, pod, set.Name)
}

func (c *controller) collided(ctx context.Context, set *apps.StatefulSet) error {
	next, count := *set.Status.DeepCopy(), int32(1)
	if next.CollisionCount != nil {
		count += *next.CollisionCount
	}
	next.CollisionCount = &count
	return c.writeStatus(ctx, set, next)
}

func (c *controller) writeStatus(ctx context.Context, set *apps.StatefulSet, next apps.StatefulSetStatus) error {
	if next.CollisionCount == nil {
		next.CollisionCount = new(int32)
	}
	if equality.Semantic.DeepEqual(set.Status, next) {
		return nil
	}
	set = set.DeepCopy()
	set.Status = next
	_, err := c.Client.AppsV1().StatefulSets(set.Namespace).UpdateStatus(ctx, set, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
