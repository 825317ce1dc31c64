package subresource

import (
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var (
	pods      = schema.GroupResource{Resource: "pods"}
	statusGVK = schema.GroupVersionKind{Version: "v1", Kind: "Status"}
)

// success is the answer to what leaves nothing to show.
func success(code int32) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusSuccess, Code: code}
}

// bindings serves both ways to bind: pods/NAME/binding, and the older resource bindings, where the body names the pod.
func (h *handlers) bindings() http.Handler {
	return posted[*corev1.Binding]{
		h: h, gvk: corev1.SchemeGroupVersion.WithKind("Binding"), empty: func() *corev1.Binding { return &corev1.Binding{} },
		check: checkBinding, answer: h.bind,
	}
}

func checkBinding(p *posting, b *corev1.Binding) error {
	if p.info.Name != "" && p.info.Name != b.Name {
		return apierrors.NewBadRequest("name in URL does not match name in Binding object")
	}
	if b.Name == "" {
		return apierrors.NewBadRequest("Name parameter required.")
	}
	target := field.NewPath("target")
	var errs field.ErrorList
	if b.Target.Kind != "" && b.Target.Kind != "Node" {
		errs = append(errs, field.NotSupported(target.Child("kind"), b.Target.Kind, []string{"Node", "<empty>"}))
	}
	if b.Target.Name == "" {
		errs = append(errs, field.Required(target.Child("name"), ""))
	}
	return errs.ToAggregate()
}

// bind gives a pod its node, once: the scheduler's decision.
func (h *handlers) bind(p *posting, b *corev1.Binding) (runtime.Object, schema.GroupVersionKind, error) {
	_, err := h.Registry.Modify(p.ctx, h.Registry.Kind(pods), objects.Change{
		Namespace: p.info.Namespace, Name: b.Name, Subresource: "binding",
		Hooks: objects.Hooks{Gate: objects.Own, DryRun: p.dryRun}, // it is the Binding that admission judges
		Apply: func(present kind.Object) (kind.Object, error) { return assign(present.(*corev1.Pod), b) },
	})
	if err != nil {
		return nil, statusGVK, err
	}
	return success(http.StatusCreated), statusGVK, nil
}

// assign sets the node, if the pod has none and nothing holds it back.
func assign(pod *corev1.Pod, b *corev1.Binding) (*corev1.Pod, error) {
	conflict := func(format string, args ...any) error {
		return apierrors.NewConflict(schema.GroupResource{Resource: "pods/binding"}, pod.Name, fmt.Errorf(format, args...))
	}
	switch {
	case b.UID != "" && b.UID != pod.UID:
		return nil, conflict("Precondition failed: UID in precondition: %v, UID in object meta: %v", b.UID, pod.UID)
	case pod.DeletionTimestamp != nil:
		return nil, conflict("pod %s is being deleted, cannot be assigned to a host", pod.Name)
	case pod.Spec.NodeName != "":
		return nil, conflict("pod %v is already assigned to node %q", pod.Name, pod.Spec.NodeName)
	case len(pod.Spec.SchedulingGates) > 0:
		return nil, conflict("pod %v has non-empty .spec.schedulingGates", pod.Name)
	}
	pod.Spec.NodeName = b.Target.Name
	for key, value := range b.Annotations {
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, key, value)
	}
	setCondition(pod, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()})
	return pod, nil
}

// setCondition replaces a condition of the same type; the time of transition is kept when the status stays.
func setCondition(pod *corev1.Pod, c corev1.PodCondition) {
	i := slices.IndexFunc(pod.Status.Conditions, func(have corev1.PodCondition) bool { return have.Type == c.Type })
	if i < 0 {
		pod.Status.Conditions = append(pod.Status.Conditions, c)
		return
	}
	if pod.Status.Conditions[i].Status == c.Status {
		c.LastTransitionTime = pod.Status.Conditions[i].LastTransitionTime
	}
	pod.Status.Conditions[i] = c
}
