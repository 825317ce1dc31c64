// Package job runs the pods of a Job until enough of them succeeded or too many failed, counting each end exactly once.
//
// It owns those Pods, their tracking finalizer and the Job's status. Users and package cronjob feed it Jobs, and package ttl clears them away. A
// pod's end is noted in the status before its finalizer is dropped, and counted after, so that neither a crash nor a deleted pod loses or doubles
// it.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/owned"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop      *loop.Loop
	own, jobs loop.Own
	// doomed and freed are pods that were deleted, or whose finalizer was dropped, before the cache shows it.
	doomed, freed sync.Map
	// lives are the ends of the pods of each job that runs, by its key.
	lives sync.Map
}

// Run keeps Jobs until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("job"), w.Logger, c.sync)
	loop.Keys[batch.Job](c.loop, w.Informers.Batch().V1().Jobs().Informer())
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		loop.Owners(c.loop, "Job", old, new, c.wakeAdopters)
		if new == nil {
			c.doomed.Delete(old.UID)
			c.freed.Delete(old.UID)
		}
	})
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.loop.Run(ctx) })
	both.Go(func() error { return c.strays(ctx).Run(ctx) })
	return both.Wait()
}

func (c *controller) podsOf(j *batch.Job) []*core.Pod {
	return owned.Of[core.Pod](c.Informers.Core().V1().Pods().Informer().GetIndexer(), j.UID)
}

// wakeAdopters wakes the Jobs that may take an orphan.
func (c *controller) wakeAdopters(p *core.Pod) {
	all, err := c.Informers.Batch().V1().Jobs().Lister().Jobs(p.Namespace).List(labels.Everything())
	if err != nil {
		return
	}
	for _, j := range all {
		if selector, err := meta.LabelSelectorAsSelector(j.Spec.Selector); err == nil && selector.Matches(labels.Set(p.Labels)) {
			c.loop.Add(loop.Key(j))
		}
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	j, err := c.Informers.Batch().V1().Jobs().Lister().Jobs(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		c.lives.Delete(key)
		return nil
	}
	if err != nil {
		return err
	}
	if j.Spec.ManagedBy != nil && *j.Spec.ManagedBy != batch.JobControllerName {
		return nil
	}
	if !c.own.Seen(key, c.Informers.Core().V1().Pods().Informer()) || !c.jobs.Seen(key, c.Informers.Batch().V1().Jobs().Informer()) {
		return loop.ErrStale
	}
	mine, err := c.claim(ctx, j)
	if err != nil {
		return err
	}
	if finished(j) || j.DeletionTimestamp != nil {
		c.lives.Delete(key)
		return c.release(ctx, key, slices.DeleteFunc(slices.Clone(mine), func(p *core.Pod) bool { return !tracked(p) }))
	}
	mine, m := c.remember(key, j, mine)
	o := plan(j, mine, m, time.Now())
	c.lives.Store(key, life{j.UID, o.ends})
	if err := c.writeStatus(ctx, key, j, o.status); err != nil {
		return err
	}
	for _, e := range o.events {
		c.Events.Event(j, e.kind, e.reason, e.message)
	}
	if o.wait > 0 {
		c.loop.After(key, o.wait)
	}
	failed := errors.Join(c.release(ctx, key, o.release), c.remove(ctx, j, o.remove), c.start(ctx, key, j, o.start))
	if err := c.release(ctx, key, o.drop); err != nil {
		return errors.Join(failed, err) // with its finalizer a deleted pod would count as failed
	}
	return errors.Join(failed, c.remove(ctx, j, o.drop))
}

// life of one job: another of its name begins anew.
type life struct {
	uid  types.UID
	ends ends
}

// remember what the cache does not show: pods that are gone, and what was done to those that it shows.
func (c *controller) remember(key string, j *batch.Job, mine []*core.Pod) ([]*core.Pod, memory) {
	m := memory{released: map[types.UID]bool{}}
	if known, ok := c.lives.Load(key); ok && known.(life).uid == j.UID {
		m.ends = known.(life).ends
	}
	mine = slices.Clone(mine)
	for i, p := range mine {
		if _, ok := c.freed.Load(p.UID); ok {
			m.released[p.UID] = true
		}
		if _, gone := c.doomed.Load(p.UID); gone && p.DeletionTimestamp == nil {
			mine[i] = p.DeepCopy()
			mine[i].DeletionTimestamp = &meta.Time{Time: time.Now()}
		}
	}
	return mine, m
}

func (c *controller) claim(ctx context.Context, j *batch.Job) ([]*core.Pod, error) {
	selector, err := meta.LabelSelectorAsSelector(j.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector of %s: %w", j.Name, err)
	}
	api := c.Client.CoreV1().Pods(j.Namespace)
	return owned.Run(ctx, owned.Claim[core.Pod]{
		Owner: j, Ref: *meta.NewControllerRef(j, batch.SchemeGroupVersion.WithKind("Job")), Selector: selector,
		Indexer:   c.Informers.Core().V1().Pods().Informer().GetIndexer(),
		Finalizer: batch.JobTrackingFinalizer,
		Alive: func(ctx context.Context) (meta.Object, error) {
			return c.Client.BatchV1().Jobs(j.Namespace).Get(ctx, j.Name, meta.GetOptions{})
		},
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := api.Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
}

// release drops the finalizer of pods whose end is in the written status.
func (c *controller) release(ctx context.Context, key string, done []*core.Pod) error {
	var failed error
	for _, p := range done {
		if _, ok := c.freed.Load(p.UID); ok || !tracked(p) {
			continue
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID, "$deleteFromPrimitiveList/finalizers": []string{batch.JobTrackingFinalizer}}})
		if err != nil {
			return err
		}
		_, err = c.Client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
		switch {
		case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err):
			c.freed.Store(p.UID, true)
			if key != "" {
				c.loop.Add(key) // count it
			}
		default:
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (c *controller) remove(ctx context.Context, j *batch.Job, victims []*core.Pod) error {
	var failed error
	for _, p := range victims {
		err := c.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(p.UID))})
		switch {
		case err == nil:
			c.doomed.Store(p.UID, true)
			c.Events.Eventf(j, core.EventTypeNormal, "SuccessfulDelete", "Deleted pod: %v", p.Name)
		case !apierrors.IsNotFound(err):
			c.Events.Eventf(j, core.EventTypeWarning, "FailedDelete", "Error deleting: %v", err)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (c *controller) start(ctx context.Context, key string, j *batch.Job, starts []start) error {
	for _, s := range starts {
		p, err := c.Client.CoreV1().Pods(j.Namespace).Create(ctx, build(j, s), meta.CreateOptions{})
		if err != nil {
			if !apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) {
				c.Events.Eventf(j, core.EventTypeWarning, "FailedCreate", "Error creating: %v", err)
			}
			return err
		}
		c.own.Wrote(key, p.ResourceVersion)
		c.Events.Eventf(j, core.EventTypeNormal, "SuccessfulCreate", "Created pod: %v", p.Name)
	}
	return nil
}

func (c *controller) writeStatus(ctx context.Context, key string, j *batch.Job, next batch.JobStatus) error {
	if equality.Semantic.DeepEqual(j.Status, next) {
		return nil
	}
	j = j.DeepCopy()
	j.Status = next
	written, err := c.Client.BatchV1().Jobs(j.Namespace).UpdateStatus(ctx, j, meta.UpdateOptions{})
	if err == nil {
		c.jobs.Wrote(key, written.ResourceVersion)
	}
	return err
}
