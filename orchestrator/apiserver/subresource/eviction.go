package subresource

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var budgets = schema.GroupResource{Group: policyv1.GroupName, Resource: "poddisruptionbudgets"}

var evictionGVK = policyv1.SchemeGroupVersion.WithKind("Eviction")

func (h *handlers) evictions() http.Handler {
	return posted[*policyv1.Eviction]{
		h: h, gvk: evictionGVK, empty: func() *policyv1.Eviction { return &policyv1.Eviction{} }, older: olderEviction, check: checkEviction, answer: h.evict,
	}
}

// olderEviction: pods/eviction takes the kind of policy/v1beta1 too, though nothing else of that version is served.
func olderEviction() (schema.GroupVersionKind, kind.Object, func(*policyv1.Eviction)) {
	old := &policyv1beta1.Eviction{}
	return policyv1beta1.SchemeGroupVersion.WithKind("Eviction"), old, func(e *policyv1.Eviction) {
		e.ObjectMeta, e.DeleteOptions = old.ObjectMeta, old.DeleteOptions
	}
}

func checkEviction(p *posting, e *policyv1.Eviction) error {
	if e.Name != p.info.Name {
		return apierrors.NewBadRequest("name in URL does not match name in Eviction object")
	}
	if e.DeleteOptions == nil {
		return nil
	}
	if errs := validation.ValidateDeleteOptions(e.DeleteOptions); len(errs) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", errs)
	}
	return nil
}

// evictAttempts is how often an eviction is decided anew because its pod changed meanwhile.
const evictAttempts = 20

// errMoved: the pod is no longer as it was when its eviction was decided.
var errMoved = errors.New("the pod has changed")

// evict deletes a pod if its disruption budget allows it: the allowance is spent first, by an update that only one of several can win. What was decided
// holds for the pod that was looked at: one that began to run, or another one of its name, is looked at again.
func (h *handlers) evict(p *posting, e *policyv1.Eviction) (runtime.Object, schema.GroupVersionKind, error) {
	v := &evicting{handlers: h, ctx: p.ctx, dryRun: p.dryRun}
	if e.DeleteOptions != nil {
		v.options = *e.DeleteOptions
		v.dryRun = v.dryRun || admission.DryRunOf(e.DeleteOptions.DryRun)
	}
	for attempt := 1; ; attempt++ {
		obj, err := h.fresh(p.ctx, "pods", p.info.Namespace, p.info.Name)
		if err == nil {
			err = v.try(obj.(*corev1.Pod))
		}
		if errors.Is(err, errMoved) {
			if attempt < evictAttempts {
				continue
			}
			err = objects.Conflict(h.Registry.Kind(pods), p.info.Name)
		}
		if err != nil {
			return nil, statusGVK, err
		}
		return success(http.StatusCreated), statusGVK, nil
	}
}

// evicting is one eviction under way.
type evicting struct {
	*handlers
	ctx     context.Context
	options metav1.DeleteOptions
	dryRun  bool
	// spent is the pod that a budget was spent for.
	spent types.UID
}

// try decides about the pod as it is, notes why it goes, and deletes it. errMoved says that it is no longer so.
func (v *evicting) try(pod *corev1.Pod) error {
	// Whoever may go because of the state it is in must still be in it when it goes.
	asItIs := free(pod)
	if !asItIs && v.spent != pod.UID {
		needed, err := v.spend(pod)
		if err != nil {
			return err
		}
		asItIs, v.spent = !needed, pod.UID
	}
	want := preconditions(v.options, pod, asItIs)
	if err := objects.Meets(v.Registry.Kind(pods), pod, v.options.Preconditions); err != nil {
		return err
	}
	if !v.dryRun {
		marked, err := v.mark(pod, want)
		if err != nil {
			return err
		}
		if want.ResourceVersion != nil {
			version := marked.GetResourceVersion()
			want.ResourceVersion = &version
		}
	}
	options := v.options
	options.Preconditions = want
	_, _, err := v.Registry.Remove(v.ctx, v.Registry.Kind(pods), objects.Removal{
		Namespace: pod.Namespace, Name: pod.Name, Options: options,
		Hooks: objects.Hooks{Gate: objects.Own, DryRun: v.dryRun}, // it is the Eviction that admission judges
	})
	if apierrors.IsConflict(err) {
		return errMoved
	}
	return err
}

// preconditions of the deletion: the pod that was decided about and, for one that goes because of its state, its version.
func preconditions(options metav1.DeleteOptions, pod *corev1.Pod, asItIs bool) *metav1.Preconditions {
	want := &metav1.Preconditions{UID: &pod.UID}
	if asItIs || (options.Preconditions != nil && options.Preconditions.ResourceVersion != nil) {
		want.ResourceVersion = &pod.ResourceVersion
	}
	return want
}

// mark notes in the pod why it goes.
func (v *evicting) mark(pod *corev1.Pod, want *metav1.Preconditions) (kind.Object, error) {
	return v.Registry.Update(v.ctx, pods, pod.Namespace, pod.Name, "status", func(obj kind.Object) error {
		present := obj.(*corev1.Pod)
		if present.UID != *want.UID || (want.ResourceVersion != nil && present.ResourceVersion != *want.ResourceVersion) {
			return errMoved
		}
		setCondition(present, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI",
			Message: "Eviction API: evicting", LastTransitionTime: metav1.Time{Time: v.Now()},
		})
		return nil
	})
}

// free pods may always be evicted: they have ended, are being deleted, or never ran.
func free(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodPending
}

// spend takes one disruption from the pod's budget. needed is false for a pod that may go without, because it is not ready.
func (v *evicting) spend(pod *corev1.Pod) (needed bool, err error) {
	b, err := v.budgetOf(pod)
	if err != nil {
		return false, err
	}
	switch {
	case b == nil:
		return true, nil
	case !ready(pod) && unhealthyMayGo(b):
		return false, nil
	case v.dryRun:
		return true, allowed(b)
	}
	_, err = v.Registry.Update(v.ctx, budgets, b.Namespace, b.Name, "status", func(obj kind.Object) error {
		present := obj.(*policyv1.PodDisruptionBudget)
		if err := allowed(present); err != nil {
			return err
		}
		present.Status.DisruptionsAllowed--
		if present.Status.DisruptedPods == nil {
			present.Status.DisruptedPods = map[string]metav1.Time{}
		}
		present.Status.DisruptedPods[pod.Name] = metav1.Time{Time: v.Now()}
		return nil
	})
	return true, err
}

// budgetOf is the one budget that covers the pod; more than one is an error that the API promises.
func (v *evicting) budgetOf(pod *corev1.Pod) (*policyv1.PodDisruptionBudget, error) {
	all, err := v.Registry.List(v.ctx, budgets, pod.Namespace, nil)
	if err != nil {
		return nil, err
	}
	var found *policyv1.PodDisruptionBudget
	for _, obj := range all {
		b := obj.(*policyv1.PodDisruptionBudget)
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil || !selector.Matches(labels.Set(pod.Labels)) {
			continue
		}
		if found != nil {
			//lint:ignore ST1005 the words are stock's: people and programs read them
			return nil, errors.New("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
		}
		found = b
	}
	return found, nil
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// unhealthyMayGo obeys unhealthyPodEvictionPolicy: IfHealthyBudget lets pods that are not ready go while enough others are healthy.
func unhealthyMayGo(b *policyv1.PodDisruptionBudget) bool {
	if b.Spec.UnhealthyPodEvictionPolicy != nil && *b.Spec.UnhealthyPodEvictionPolicy == policyv1.AlwaysAllow {
		return true
	}
	return b.Status.CurrentHealthy >= b.Status.DesiredHealthy && b.Status.DesiredHealthy > 0
}

// maxDisrupted pods may wait for their deletion to be seen.
const maxDisrupted = 2000

// allowed tells whether a budget has a disruption left, in stock's words.
func allowed(b *policyv1.PodDisruptionBudget) error {
	switch {
	case b.Status.ObservedGeneration < b.Generation:
		return tooMany(b, 10, fmt.Sprintf("The disruption budget %s is still being processed by the server.", b.Name))
	case b.Status.DisruptionsAllowed < 0:
		return apierrors.NewForbidden(budgets, b.Name, errors.New("pdb disruptions allowed is negative"))
	case len(b.Status.DisruptedPods) > maxDisrupted:
		return apierrors.NewForbidden(budgets, b.Name, errors.New("DisruptedPods map too big - too many evictions not confirmed by PDB controller"))
	case b.Status.DisruptionsAllowed == 0:
		return tooMany(b, 0, fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently", b.Name, b.Status.DesiredHealthy, b.Status.CurrentHealthy))
	}
	return nil
}

func tooMany(b *policyv1.PodDisruptionBudget, after int, cause string) error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", after)
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: cause})
	return err
}
