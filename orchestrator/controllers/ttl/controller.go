// Package ttl deletes a Job, with its pods, once it has been over for as long as its ttlSecondsAfterFinished says.
//
// Package job tells when a Job is over; the garbage collector takes what belongs to it.
package ttl

import (
	"context"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
}

// Run deletes until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("ttl-after-finished"), w.Logger, c.sync)
	loop.On(c.loop, w.Informers.Batch().V1().Jobs().Informer(), func(_, new *batch.Job) {
		if new != nil && new.DeletionTimestamp == nil && new.Spec.TTLSecondsAfterFinished != nil {
			c.loop.Add(loop.Key(new))
		}
	})
	return c.loop.Run(ctx)
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	cached, err := c.Informers.Batch().V1().Jobs().Lister().Jobs(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if left, over := remaining(cached, time.Now()); !over || left > 0 {
		if over {
			c.loop.After(key, left)
		}
		return nil
	}
	// The life may have been prolonged a moment ago: only what the apiserver has now counts.
	live, err := c.Client.BatchV1().Jobs(namespace).Get(ctx, name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if left, over := remaining(live, time.Now()); !over || left > 0 {
		return nil // the change that made it so will wake us
	}
	foreground := meta.DeletePropagationForeground
	err = c.Client.BatchV1().Jobs(namespace).Delete(ctx, name, meta.DeleteOptions{
		PropagationPolicy: &foreground, Preconditions: &meta.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion},
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// remaining is how long a Job may still stay; over is false when it is not over, is going already or may stay for ever.
func remaining(j *batch.Job, now time.Time) (left time.Duration, over bool) {
	if j.Spec.TTLSecondsAfterFinished == nil || j.DeletionTimestamp != nil {
		return 0, false
	}
	for _, c := range j.Status.Conditions {
		if (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue {
			return c.LastTransitionTime.Add(time.Duration(*j.Spec.TTLSecondsAfterFinished) * time.Second).Sub(now), true
		}
	}
	return 0, false
}
