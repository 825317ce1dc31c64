package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/component/usage"
)

// resourceQuota charges a write to the quotas of its namespace: it adds to their status.used, each by compare-and-swap, or refuses. What is
// charged for a write that fails later, the quota controller gives back.
type resourceQuota struct {
	onlyValidates
	objects objects.ReadWriter
	now     func() time.Time
}

var quotas = schema.GroupResource{Resource: "resourcequotas"}

// unchargeable resources are not worth a quota: reviews store nothing, and events must not stop when a namespace is full.
var unchargeable = []string{"bindings", "events", "events.events.k8s.io", "tokenreviews.authentication.k8s.io",
	"selfsubjectreviews.authentication.k8s.io", "subjectaccessreviews.authorization.k8s.io", "localsubjectaccessreviews.authorization.k8s.io",
	"selfsubjectaccessreviews.authorization.k8s.io", "selfsubjectrulesreviews.authorization.k8s.io"}

func (*resourceQuota) Name() string { return "ResourceQuota" }

func (*resourceQuota) Handles(op Operation) bool { return op == Create || op == Update }

func (r *resourceQuota) Validate(ctx context.Context, a *Attributes) error {
	if !a.Kind.Namespaced || !charges(a) {
		return nil
	}
	list, err := r.objects.List(ctx, quotas, a.Namespace, nil)
	if err != nil || len(list) == 0 {
		return err
	}
	charged := make([]charge, 0, len(list))
	for _, obj := range list {
		q, ok := obj.(*corev1.ResourceQuota)
		if !ok {
			return errWrongType
		}
		c, err := r.chargeTo(a, q)
		if err != nil {
			return err
		}
		if len(c.delta) > 0 {
			charged = append(charged, c)
		}
	}
	if a.DryRun {
		return nil
	}
	for _, c := range charged {
		if err := r.apply(ctx, a, c); err != nil {
			return err
		}
	}
	return nil
}

// charges tells which writes can use more than before.
func charges(a *Attributes) bool {
	gr := a.Kind.GroupResource()
	if slices.Contains(unchargeable, gr.String()) {
		return false
	}
	if a.Operation == Create {
		return a.Subresource == ""
	}
	switch gr.String() {
	case "pods":
		return a.Subresource == "resize" || (a.Subresource == "" && deadlineChanged(a))
	case "services", "persistentvolumeclaims":
		return a.Subresource == ""
	}
	return false
}

// deadlineChanged: a deadline moves a pod from one scope to another.
func deadlineChanged(a *Attributes) bool {
	pod, isNew := a.Object.(*corev1.Pod)
	old, isOld := a.Old.(*corev1.Pod)
	return isNew && isOld && (pod.Spec.ActiveDeadlineSeconds == nil) != (old.Spec.ActiveDeadlineSeconds == nil)
}

// charge is what one write adds to one quota.
type charge struct {
	quota string
	delta corev1.ResourceList
}

// chargeTo works out the charge, and refuses what the quota as it is known cannot bear.
func (r *resourceQuota) chargeTo(a *Attributes, q *corev1.ResourceQuota) (charge, error) {
	obj, ok := a.Object.(kind.Object)
	gr := a.Kind.GroupResource()
	names := usage.Among(gr, q.Status.Hard)
	if !ok || len(names) == 0 || !usage.InScope(q, obj) {
		return charge{}, nil
	}
	slices.Sort(names)
	if pod, ok := obj.(*corev1.Pod); ok {
		if missing := usage.Unstated(pod, names); missing != "" {
			return charge{}, refuse(a, "failed quota: %s: %s", q.Name, missing)
		}
	}
	for _, name := range names {
		if _, known := q.Status.Used[name]; !known {
			return charge{}, refuse(a, "status unknown for quota: %s, resources: %s", q.Name, joined(names))
		}
	}
	delta := usage.Of(gr, obj, r.now())
	if old, ok := a.Old.(kind.Object); ok && a.Operation == Update && usage.InScope(q, old) {
		delta = usage.Growth(delta, usage.Of(gr, old, r.now()))
	}
	delta = usage.Growth(usage.Mask(delta, names), nil)
	return charge{q.Name, delta}, exceeds(a, q, delta)
}

func joined(names []corev1.ResourceName) string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return strings.Join(texts, ",")
}

// exceeds is the refusal when the sum is above the bound.
func exceeds(a *Attributes, q *corev1.ResourceQuota, delta corev1.ResourceList) error {
	var over []corev1.ResourceName
	for name, more := range delta {
		sum, hard := q.Status.Used[name].DeepCopy(), q.Status.Hard[name]
		sum.Add(more)
		if sum.Cmp(hard) > 0 {
			over = append(over, name)
		}
	}
	if len(over) == 0 {
		return nil
	}
	slices.Sort(over)
	return refuse(a, "exceeded quota: %s, requested: %s, used: %s, limited: %s", q.Name, listed(delta, over), listed(q.Status.Used, over), listed(q.Status.Hard, over))
}

func listed(list corev1.ResourceList, names []corev1.ResourceName) string {
	var parts []string
	for _, name := range names {
		quantity := list[name]
		parts = append(parts, fmt.Sprintf("%s=%s", name, quantity.String()))
	}
	return strings.Join(parts, ",")
}

// apply adds to the quota as it stands in the store, judging it once more there. A quota that is gone charges nothing.
func (r *resourceQuota) apply(ctx context.Context, a *Attributes, c charge) error {
	_, err := r.objects.Update(ctx, quotas, a.Namespace, c.quota, "status", func(obj kind.Object) error {
		q, ok := obj.(*corev1.ResourceQuota)
		if !ok {
			return errWrongType
		}
		delta := usage.Mask(c.delta, usage.Among(a.Kind.GroupResource(), q.Status.Hard))
		if err := exceeds(a, q, delta); err != nil {
			return err
		}
		if len(delta) == 0 {
			return objects.ErrUnchanged
		}
		q.Status.Used = usage.Add(q.Status.Used, delta)
		return nil
	})
	if apierrors.IsNotFound(err) || errors.Is(err, objects.ErrUnchanged) {
		return nil
	}
	return err
}
