package subresource

import (
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

var budgets = schema.GroupResource{Group: policyv1.GroupName, Resource: "poddisruptionbudgets"}

// evict deletes a pod if its disruption budget allows it: the allowance is spent first, by an update that only one of several can win.
func (h *handlers) evict(r *http.Request) (runtime.Object, schema.GroupVersionKind, error) {
	e := &policyv1.Eviction{}
	if err := decode(r, e, policyv1.SchemeGroupVersion.WithKind("Eviction")); err != nil {
		return nil, statusGVK, err
	}
	info := request.InfoFrom(r.Context())
	if e.Name != "" && e.Name != info.Name {
		return nil, statusGVK, apierrors.NewBadRequest("name in URL does not match name in Eviction object: " + e.Name)
	}
	if err := h.admit(r, "eviction", e, admission.Create); err != nil {
		return nil, statusGVK, err
	}
	if err := h.Registry.Barrier(r.Context()); err != nil {
		return nil, statusGVK, err
	}
	obj, err := h.Registry.Get(r.Context(), pods, info.Namespace, info.Name)
	if err != nil {
		return nil, statusGVK, err
	}
	pod := obj.(*corev1.Pod)
	options := metav1.DeleteOptions{}
	if e.DeleteOptions != nil {
		options = *e.DeleteOptions
	}
	dryRun := admission.DryRunOf(options.DryRun) || admission.DryRunOf(r.URL.Query()["dryRun"])
	if !free(pod) {
		if err := h.spend(r, pod, dryRun); err != nil {
			return nil, statusGVK, err
		}
	}
	if err := h.evictPod(r, pod, options, dryRun); err != nil {
		return nil, statusGVK, err
	}
	return success(http.StatusCreated), statusGVK, nil
}

// free pods may always be evicted: they have ended, are being deleted, or never ran.
func free(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodPending
}

// spend takes one disruption from the pod's budget.
func (h *handlers) spend(r *http.Request, pod *corev1.Pod, dryRun bool) error {
	b, err := h.budgetOf(r, pod)
	if b == nil || err != nil {
		return err
	}
	if !ready(pod) && unhealthyMayGo(b) {
		return nil
	}
	if dryRun {
		return allowed(b)
	}
	_, err = h.Registry.Update(r.Context(), budgets, b.Namespace, b.Name, "status", func(obj kind.Object) error {
		present := obj.(*policyv1.PodDisruptionBudget)
		if err := allowed(present); err != nil {
			return err
		}
		present.Status.DisruptionsAllowed--
		if present.Status.DisruptedPods == nil {
			present.Status.DisruptedPods = map[string]metav1.Time{}
		}
		present.Status.DisruptedPods[pod.Name] = metav1.Time{Time: h.Now()}
		return nil
	})
	return err
}

// budgetOf is the one budget that covers the pod; more than one is an error that the API promises.
func (h *handlers) budgetOf(r *http.Request, pod *corev1.Pod) (*policyv1.PodDisruptionBudget, error) {
	all, err := h.Registry.List(r.Context(), budgets, pod.Namespace, nil)
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
			return nil, apierrors.NewInternalError(errors.New("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."))
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

// evictPod notes why the pod goes, then deletes it.
func (h *handlers) evictPod(r *http.Request, pod *corev1.Pod, options metav1.DeleteOptions, dryRun bool) error {
	if !dryRun {
		_, err := h.Registry.Update(r.Context(), pods, pod.Namespace, pod.Name, "status", func(obj kind.Object) error {
			setCondition(obj.(*corev1.Pod), corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI",
				Message: "Eviction API: evicting", LastTransitionTime: metav1.Time{Time: h.Now()},
			})
			return nil
		})
		if err != nil {
			return err
		}
	}
	_, _, err := h.Registry.Remove(r.Context(), h.Registry.Kind(pods), objects.Removal{
		Namespace: pod.Namespace, Name: pod.Name, Options: options, Hooks: objects.Hooks{DryRun: dryRun},
	})
	return err
}
