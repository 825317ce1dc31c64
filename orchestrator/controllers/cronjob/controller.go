// Package cronjob starts a Job at each time that a CronJob's schedule names, and clears away the ended ones.
//
// It owns those Jobs and the CronJob's status. CronJobs, Jobs and the clock feed it; package job runs what it makes. That no scheduled time starts
// two Jobs rests on their names, which hold the time.
package cronjob

import (
	"context"
	"errors"
	"fmt"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	// jobs and crons note our own writes, so that no sync plans on a cache that does not show them.
	jobs, crons loop.Own
}

// Run keeps CronJobs until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("cron-job"), w.Logger, c.sync)
	loop.Keys[batch.CronJob](c.loop, w.Informers.Batch().V1().CronJobs().Informer())
	loop.On(c.loop, w.Informers.Batch().V1().Jobs().Informer(), func(old, new *batch.Job) {
		loop.Owners(c.loop, "CronJob", old, new, nil)
	})
	return c.loop.Run(ctx)
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	cron, err := c.Informers.Batch().V1().CronJobs().Lister().CronJobs(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.jobs.Seen(key, c.Informers.Batch().V1().Jobs().Informer()) || !c.crons.Seen(key, c.Informers.Batch().V1().CronJobs().Informer()) {
		return loop.ErrStale
	}
	mine, err := c.jobsOf(cron)
	if err != nil {
		return err
	}
	o := plan(cron, mine, time.Now())
	for _, e := range o.events {
		c.Events.Event(cron, e.kind, e.reason, e.message)
	}
	if o.wait > 0 {
		c.loop.After(key, o.wait)
	}
	failed := errors.Join(c.remove(ctx, key, cron, o.expired), c.remove(ctx, key, cron, o.replaced))
	if failed == nil && o.start != nil {
		failed = c.start(ctx, key, cron, &o)
	}
	return errors.Join(failed, c.writeStatus(ctx, key, cron, o.status))
}

func (c *controller) jobsOf(cron *batch.CronJob) ([]*batch.Job, error) {
	all, err := c.Informers.Batch().V1().Jobs().Lister().Jobs(cron.Namespace).List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var mine []*batch.Job
	for _, j := range all {
		if meta.IsControlledBy(j, cron) {
			mine = append(mine, j)
		}
	}
	return mine, nil
}

// start creates the Job of the scheduled time and notes it in the outcome's status.
func (c *controller) start(ctx context.Context, key string, cron *batch.CronJob, o *outcome) error {
	for _, j := range o.replaced {
		o.status.Active = without(o.status.Active, j)
	}
	api := c.Client.BatchV1().Jobs(cron.Namespace)
	wanted := build(cron, *o.start)
	made, err := api.Create(ctx, wanted, meta.CreateOptions{})
	switch {
	case apierrors.HasStatusCause(err, core.NamespaceTerminatingCause):
		return nil
	case apierrors.IsAlreadyExists(err):
		made, err = api.Get(ctx, wanted.Name, meta.GetOptions{})
		if err == nil && !meta.IsControlledBy(made, cron) {
			err = fmt.Errorf("job %s exists and is not of cron job %s", made.Name, cron.Name)
		}
	case err == nil:
		c.Events.Eventf(cron, core.EventTypeNormal, "SuccessfulCreate", "Created job %v", made.Name)
	}
	if err != nil {
		c.Events.Eventf(cron, core.EventTypeWarning, "FailedCreate", "Error creating job: %v", err)
		return fmt.Errorf("create job %s: %w", wanted.Name, err)
	}
	c.jobs.Wrote(key, made.ResourceVersion)
	o.status.Active = append(without(o.status.Active, made), reference(made))
	o.status.LastScheduleTime = &meta.Time{Time: *o.start}
	return nil
}

func without(refs []core.ObjectReference, j *batch.Job) []core.ObjectReference {
	var rest []core.ObjectReference
	for _, ref := range refs {
		if ref.UID != j.UID {
			rest = append(rest, ref)
		}
	}
	return rest
}

// remove deletes Jobs and their pods.
func (c *controller) remove(ctx context.Context, key string, cron *batch.CronJob, jobs []*batch.Job) error {
	background := meta.DeletePropagationBackground
	var failed error
	for _, j := range jobs {
		err := c.Client.BatchV1().Jobs(j.Namespace).Delete(ctx, j.Name, meta.DeleteOptions{PropagationPolicy: &background, Preconditions: meta.NewUIDPreconditions(string(j.UID))})
		switch {
		case err == nil:
			c.Events.Eventf(cron, core.EventTypeNormal, "SuccessfulDelete", "Deleted job %v", j.Name)
		case !apierrors.IsNotFound(err):
			c.Events.Eventf(cron, core.EventTypeWarning, "FailedDelete", "Deleted job: %v", err)
			failed = errors.Join(failed, fmt.Errorf("delete job %s of %s: %w", j.Name, key, err))
		}
	}
	return failed
}

func (c *controller) writeStatus(ctx context.Context, key string, cron *batch.CronJob, next batch.CronJobStatus) error {
	if equality.Semantic.DeepEqual(cron.Status, next) {
		return nil
	}
	cron = cron.DeepCopy()
	cron.Status = next
	written, err := c.Client.BatchV1().CronJobs(cron.Namespace).UpdateStatus(ctx, cron, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("status of cron job %s: %w", key, err)
	}
	c.crons.Wrote(key, written.ResourceVersion)
	return nil
}
