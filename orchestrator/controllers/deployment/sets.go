package deployment

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
)

// ensure returns the set of the Deployment's template, made if there is none.
func (c *controller) ensure(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) (*apps.ReplicaSet, error) {
	if now != nil {
		return c.renew(ctx, d, now, old)
	}
	rs, err := newSet(d, old)
	if err != nil {
		return nil, err
	}
	made, err := c.Client.AppsV1().ReplicaSets(d.Namespace).Create(ctx, rs, meta.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, c.collision(ctx, d, rs)
	case apierrors.HasStatusCause(err, core.NamespaceTerminatingCause):
		return nil, err
	case err != nil:
		message := fmt.Sprintf("Failed to create new replica set %q: %v", rs.Name, err)
		set(&d.Status, apps.DeploymentProgressing, core.ConditionFalse, "ReplicaSetCreateError", message, time.Now())
		c.Events.Event(d, core.EventTypeWarning, "ReplicaSetCreateError", message)
		_, _ = c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d.DeepCopy(), meta.UpdateOptions{})
		return nil, err
	}
	c.own.Wrote(loop.Key(d), made.ResourceVersion)
	if n := replicas(made.Spec.Replicas); n > 0 {
		c.Events.Eventf(d, core.EventTypeNormal, "ScalingReplicaSet", "Scaled up replica set %s from 0 to %d", made.Name, n)
	}
	set(&d.Status, apps.DeploymentProgressing, core.ConditionTrue, "NewReplicaSetCreated", fmt.Sprintf("Created new replica set %q", made.Name), time.Now())
	return made, c.setRevision(ctx, d, made.Annotations[revisionAnnotation])
}

func newSet(d *apps.Deployment, old []*apps.ReplicaSet) (*apps.ReplicaSet, error) {
	hash, err := templateHash(&d.Spec.Template, d.Status.CollisionCount)
	if err != nil {
		return nil, err
	}
	template, selector := *d.Spec.Template.DeepCopy(), d.Spec.Selector.DeepCopy()
	template.Labels = with(template.Labels, hash)
	selector.MatchLabels = with(selector.MatchLabels, hash)
	rs := &apps.ReplicaSet{
		ObjectMeta: meta.ObjectMeta{
			Namespace: d.Namespace, Name: d.Name + "-" + hash, Labels: template.Labels, Annotations: map[string]string{},
			OwnerReferences: []meta.OwnerReference{*meta.NewControllerRef(d, apps.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: apps.ReplicaSetSpec{MinReadySeconds: d.Spec.MinReadySeconds, Selector: selector, Template: template, Replicas: new(int32)},
	}
	*rs.Spec.Replicas = growNew(d, rs, old)
	inherit(d, rs, newest(old)+1)
	desire(d, rs)
	return rs, nil
}

func with(m map[string]string, hash string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[apps.DefaultDeploymentUniqueLabelKey] = hash
	return m
}

// collision: another set has the name. One of another template makes us count a collision, so that the next hash differs.
func (c *controller) collision(ctx context.Context, d *apps.Deployment, rs *apps.ReplicaSet) error {
	other, err := c.Client.AppsV1().ReplicaSets(rs.Namespace).Get(ctx, rs.Name, meta.GetOptions{})
	if err != nil {
		return err
	}
	if owner := meta.GetControllerOf(other); owner != nil && owner.UID == d.UID && sameTemplate(&other.Spec.Template, &d.Spec.Template) {
		return loop.ErrStale
	}
	d = d.DeepCopy()
	count := int32(1)
	if d.Status.CollisionCount != nil {
		count += *d.Status.CollisionCount
	}
	d.Status.CollisionCount = &count
	if _, err := c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, meta.UpdateOptions{}); err != nil {
		return err
	}
	return fmt.Errorf("replica set %s belongs to another template: %w", rs.Name, loop.ErrStale)
}

// renew gives the current set the newest revision and the Deployment's annotations.
func (c *controller) renew(ctx context.Context, d *apps.Deployment, now *apps.ReplicaSet, old []*apps.ReplicaSet) (*apps.ReplicaSet, error) {
	next := now.DeepCopy()
	inherit(d, next, max(newest(old)+1, revision(now)))
	next.Spec.MinReadySeconds = d.Spec.MinReadySeconds
	if !equality.Semantic.DeepEqual(now.Annotations, next.Annotations) || now.Spec.MinReadySeconds != next.Spec.MinReadySeconds {
		written, err := c.Client.AppsV1().ReplicaSets(d.Namespace).Update(ctx, next, meta.UpdateOptions{})
		if err != nil {
			return now, err
		}
		c.own.Wrote(loop.Key(d), written.ResourceVersion)
		next = written
	}
	if condition(&d.Status, apps.DeploymentProgressing) == nil && d.Spec.ProgressDeadlineSeconds != nil {
		set(&d.Status, apps.DeploymentProgressing, core.ConditionTrue, "FoundNewReplicaSet", fmt.Sprintf("Found new replica set %q", next.Name), time.Now())
		written, err := c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d.DeepCopy(), meta.UpdateOptions{})
		if err != nil {
			return next, err
		}
		*d = *written
	}
	return next, c.setRevision(ctx, d, next.Annotations[revisionAnnotation])
}

// setRevision shows the current revision on the Deployment, by a write of its status: one of the whole would count as a new generation.
func (c *controller) setRevision(ctx context.Context, d *apps.Deployment, to string) error {
	if d.Annotations[revisionAnnotation] == to {
		return nil
	}
	status := d.Status
	d.Annotations = maps.Clone(d.Annotations)
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[revisionAnnotation] = to
	written, err := c.Client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d.DeepCopy(), meta.UpdateOptions{})
	if err != nil {
		return err
	}
	*d = *written
	d.Status.Conditions = status.Conditions
	return nil
}

// inherit copies the Deployment's annotations but for those that are about one object only, and stamps the revision.
func inherit(d *apps.Deployment, rs *apps.ReplicaSet, to int64) {
	rs.Annotations = maps.Clone(rs.Annotations)
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	for k, v := range d.Annotations {
		switch k {
		case core.LastAppliedConfigAnnotation, revisionAnnotation, historyAnnotation, desiredAnnotation, maxAnnotation, apps.DeprecatedRollbackTo:
		default:
			rs.Annotations[k] = v
		}
	}
	if was := rs.Annotations[revisionAnnotation]; was != "" && revision(rs) < to {
		history := rs.Annotations[historyAnnotation]
		if history != "" {
			history = strings.Join([]string{history, was}, ",")
		} else {
			history = was
		}
		rs.Annotations[historyAnnotation] = history
	}
	rs.Annotations[revisionAnnotation] = strconv.FormatInt(to, 10)
}

// desire notes the sizes that the set was last planned with: they tell a later sync that the Deployment was scaled.
func desire(d *apps.Deployment, rs *apps.ReplicaSet) bool {
	surge, _ := bounds(d)
	wanted := replicas(d.Spec.Replicas)
	desired, most := fmt.Sprint(wanted), fmt.Sprint(wanted+surge)
	if rs.Annotations[desiredAnnotation] == desired && rs.Annotations[maxAnnotation] == most {
		return false
	}
	rs.Annotations = maps.Clone(rs.Annotations)
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	rs.Annotations[desiredAnnotation], rs.Annotations[maxAnnotation] = desired, most
	return true
}

func (c *controller) scale(ctx context.Context, d *apps.Deployment, rs *apps.ReplicaSet, to int32) error {
	from, next := replicas(rs.Spec.Replicas), rs.DeepCopy()
	if !desire(d, next) && from == to {
		return nil
	}
	next.Spec.Replicas = &to
	written, err := c.Client.AppsV1().ReplicaSets(rs.Namespace).Update(ctx, next, meta.UpdateOptions{})
	if err != nil {
		return err
	}
	c.own.Wrote(loop.Key(d), written.ResourceVersion)
	switch {
	case to > from:
		c.Events.Eventf(d, core.EventTypeNormal, "ScalingReplicaSet", "Scaled up replica set %s from %d to %d", rs.Name, from, to)
	case to < from:
		c.Events.Eventf(d, core.EventTypeNormal, "ScalingReplicaSet", "Scaled down replica set %s from %d to %d", rs.Name, from, to)
	}
	return nil
}
