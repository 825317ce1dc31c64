// Package deployment rolls a Deployment's pod template out through ReplicaSets: one per template, grown and shrunk within the strategy's bounds.
//
// It owns those ReplicaSets' sizes and revisions and the Deployment's status. Users feed it Deployments; it feeds
// package replicaset, which makes the Pods.
package deployment

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

type controller struct {
	*world.World
	loop *loop.Loop
	own  loop.Own
}

// Run keeps Deployments until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &controller{World: w}
	c.loop = loop.New(ctx, w.Settings.WorkersOf("deployment"), w.Logger, c.sync)
	loop.Keys[apps.Deployment](c.loop, w.Informers.Apps().V1().Deployments().Informer())
	loop.On(c.loop, w.Informers.Apps().V1().ReplicaSets().Informer(), func(old, new *apps.ReplicaSet) {
		loop.Owners(c.loop, "Deployment", old, new, c.wakeAdopters)
	})
	loop.On(c.loop, w.Informers.Core().V1().Pods().Informer(), c.podChanged)
	return c.loop.Run(ctx)
}

// wakeAdopters wakes the Deployments that may take an orphan.
func (c *controller) wakeAdopters(rs *apps.ReplicaSet) {
	all, err := c.Informers.Apps().V1().Deployments().Lister().Deployments(rs.Namespace).List(labels.Everything())
	if err != nil {
		return
	}
	for _, d := range all {
		if selector, err := meta.LabelSelectorAsSelector(d.Spec.Selector); err == nil && selector.Matches(labels.Set(rs.Labels)) {
			c.loop.Add(loop.Key(d))
		}
	}
}

// podChanged wakes a Deployment that recreates: it waits for the last old pod to go.
func (c *controller) podChanged(old, new *core.Pod) {
	if old == nil || new != nil && pods.Ended(old) == pods.Ended(new) {
		return
	}
	ref := meta.GetControllerOfNoCopy(old)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return
	}
	rs, err := c.Informers.Apps().V1().ReplicaSets().Lister().ReplicaSets(old.Namespace).Get(ref.Name)
	if err != nil {
		return
	}
	if owner := meta.GetControllerOfNoCopy(rs); owner != nil && owner.Kind == "Deployment" {
		c.loop.Add(rs.Namespace + "/" + owner.Name)
	}
}

func (c *controller) sync(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	d, err := c.Informers.Apps().V1().Deployments().Lister().Deployments(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.own.Seen(key, c.Informers.Apps().V1().ReplicaSets().Informer()) {
		return loop.ErrStale
	}
	d = d.DeepCopy()
	if everything := (meta.LabelSelector{}); equality.Semantic.DeepEqual(d.Spec.Selector, &everything) {
		c.Events.Event(d, core.EventTypeWarning, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.")
		return nil
	}
	sets, err := c.claim(ctx, d)
	if err != nil {
		return err
	}
	if d.DeletionTimestamp != nil {
		return c.report(ctx, d, current(d, sets), sets)
	}
	if err := c.notePause(ctx, d); err != nil {
		return err
	}
	now := current(d, sets)
	old := slices.DeleteFunc(slices.Clone(sets), func(rs *apps.ReplicaSet) bool { return rs == now })
	switch {
	case d.Spec.Paused || c.sizeChanged(d, sets):
		if now != nil {
			if now, err = c.renew(ctx, d, now, old); err != nil {
				return err
			}
		}
		err = c.resize(ctx, d, now, old)
	case d.Spec.Strategy.Type == apps.RecreateDeploymentStrategyType:
		now, err = c.recreate(ctx, d, now, old)
	default:
		now, err = c.roll(ctx, d, now, old)
	}
	if err != nil {
		return err
	}
	sets = old
	if now != nil {
		sets = append(slices.Clone(old), now)
	}
	if complete(d, d.Status) {
		if err := c.cleanup(ctx, d, old); err != nil {
			return err
		}
	}
	return c.report(ctx, d, now, sets)
}

func (c *controller) claim(ctx context.Context, d *apps.Deployment) ([]*apps.ReplicaSet, error) {
	selector, err := meta.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector of %s: %w", d.Name, err)
	}
	return owned.Run(ctx, owned.Claim[apps.ReplicaSet]{
		Owner: d, Ref: *meta.NewControllerRef(d, apps.SchemeGroupVersion.WithKind("Deployment")), Selector: selector,
		Indexer: c.Informers.Apps().V1().ReplicaSets().Informer().GetIndexer(),
		Alive: func(ctx context.Context) (meta.Object, error) {
			return c.Client.AppsV1().Deployments(d.Namespace).Get(ctx, d.Name, meta.GetOptions{})
		},
		Patch: func(ctx context.Context, name string, patch []byte) error {
			_, err := c.Client.AppsV1().ReplicaSets(d.Namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, meta.PatchOptions{})
			return err
		},
	})
}

// notePause records that a deadline does not run while the Deployment is paused, and runs anew when it goes on.
func (c *controller) notePause(ctx context.Context, d *apps.Deployment) error {
	last := condition(&d.Status, apps.DeploymentProgressing)
	if d.Spec.ProgressDeadlineSeconds == nil || last != nil && last.Reason == "ProgressDeadlineExceeded" {
		return nil
	}
	paused := last != nil && last.Reason == "DeploymentPaused"
	switch {
	case d.Spec.Paused && !paused:
		set(&d.Status, apps.DeploymentProgressing, core.ConditionUnknown, "DeploymentPaused", "Deployment is paused", time.Now())
	case !d.Spec.Paused && paused:
		set(&d.Status, apps.DeploymentProgressing, core.ConditionUnknown, "DeploymentResumed", "Deployment is resumed", time.Now())
	default:
		return nil
	}
	written, err := c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d.DeepCopy(), meta.UpdateOptions{})
	if err == nil {
		*d = *written
	}
	return err
}

// sizeChanged is true when the Deployment was scaled since its sets last were.
func (c *controller) sizeChanged(d *apps.Deployment, sets []*apps.ReplicaSet) bool {
	want := fmt.Sprint(replicas(d.Spec.Replicas))
	for _, rs := range sets {
		if had := rs.Annotations[desiredAnnotation]; replicas(rs.Spec.Replicas) > 0 && had != "" && had != want {
			return true
		}
	}
	return false
}

// resize follows a change of size in the midst of a rollout.
func (c *controller) resize(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) error {
	all := slices.Clone(old)
	if now != nil {
		all = append(all, now)
	}
	active := slices.DeleteFunc(slices.Clone(all), func(rs *apps.ReplicaSet) bool { return replicas(rs.Spec.Replicas) == 0 })
	var steps []scale
	switch {
	case len(active) <= 1:
		only := now
		if len(active) == 1 {
			only = active[0]
		} else if only == nil && len(all) > 0 {
			only = slices.MaxFunc(all, older)
		}
		if only != nil {
			steps = []scale{{only, replicas(d.Spec.Replicas)}}
		}
	case now != nil && now.Status.AvailableReplicas == replicas(d.Spec.Replicas) && replicas(now.Spec.Replicas) == replicas(d.Spec.Replicas):
		for _, rs := range old {
			steps = append(steps, scale{rs, 0})
		}
	case d.Spec.Strategy.Type == apps.RollingUpdateDeploymentStrategyType:
		steps = proportional(d, active)
	}
	errs := make([]error, 0, len(all))
	for _, rs := range all {
		to := replicas(rs.Spec.Replicas)
		if i := slices.IndexFunc(steps, func(s scale) bool { return s.set == rs }); i >= 0 {
			to = steps[i].to
		} else if to == 0 {
			continue
		}
		errs = append(errs, c.scale(ctx, d, rs, to))
	}
	return errors.Join(errs...)
}

func (c *controller) recreate(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) (*apps.ReplicaSet, error) {
	if total(old) > 0 {
		for _, rs := range old {
			if err := c.scale(ctx, d, rs, 0); err != nil {
				return now, err
			}
		}
		return now, nil
	}
	for _, rs := range old {
		for _, p := range owned.Of[core.Pod](c.Informers.Core().V1().Pods().Informer().GetIndexer(), rs.UID) {
			if !pods.Ended(p) {
				return now, nil // the old template still runs: its last pod's end wakes us
			}
		}
	}
	now, err := c.ensure(ctx, d, now, old)
	if err != nil {
		return now, err
	}
	return now, c.scale(ctx, d, now, replicas(d.Spec.Replicas))
}

func (c *controller) roll(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) (*apps.ReplicaSet, error) {
	now, err := c.ensure(ctx, d, now, old)
	if err != nil {
		return now, err
	}
	for _, step := range rolling(d, now, old) {
		if err := c.scale(ctx, d, step.set, step.to); err != nil {
			return now, err
		}
	}
	return now, nil
}

func (c *controller) cleanup(ctx context.Context, d *apps.Deployment, old []*apps.ReplicaSet) error {
	for _, rs := range surplus(d, old) {
		if err := c.Client.AppsV1().ReplicaSets(rs.Namespace).Delete(ctx, rs.Name, meta.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (c *controller) report(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, sets []*apps.ReplicaSet) error {
	next, wait := status(d, now, sets, time.Now())
	if wait > 0 {
		c.loop.After(loop.Key(d), wait)
	}
	if equality.Semantic.DeepEqual(d.Status, next) {
		return nil
	}
	d.Status = next
	_, err := c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
