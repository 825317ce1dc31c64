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

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

var (
	pods      = schema.GroupResource{Resource: "pods"}
	statusGVK = schema.GroupVersionKind{Version: "v1", Kind: "Status"}
)

// success is the answer to what leaves nothing to show.
func success(code int32) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusSuccess, Code: code}
}

// bind gives a pod its node, once: the scheduler's decision.
func (h *handlers) bind(r *http.Request) (runtime.Object, schema.GroupVersionKind, error) {
	b := &corev1.Binding{}
	if err := decode(r, b, corev1.SchemeGroupVersion.WithKind("Binding")); err != nil {
		return nil, statusGVK, err
	}
	info := request.InfoFrom(r.Context())
	name := info.Name
	if name == "" {
		name = b.Name
	}
	if b.Target.Kind != "" && b.Target.Kind != "Node" || b.Target.Name == "" {
		return nil, statusGVK, apierrors.NewBadRequest("target: must name a Node")
	}
	if err := h.admit(r, "binding", b, admission.Create); err != nil {
		return nil, statusGVK, err
	}
	dryRun := admission.DryRunOf(r.URL.Query()["dryRun"])
	_, err := h.Registry.Modify(r.Context(), h.Registry.Kind(pods), objects.Change{
		Namespace: info.Namespace, Name: name, Subresource: "binding", Hooks: objects.Hooks{DryRun: dryRun},
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

// admit runs the admission chain over a subresource's body.
func (h *handlers) admit(r *http.Request, sub string, body runtime.Object, op admission.Operation) error {
	if h.Admission == nil {
		return nil
	}
	info := request.InfoFrom(r.Context())
	a := &admission.Attributes{
		User: request.UserFrom(r.Context()), Operation: op, Kind: h.Registry.Kind(schema.GroupResource{Group: info.Group, Resource: info.Resource}),
		Version: info.Version, Subresource: sub, Namespace: info.Namespace, Name: info.Name, Object: body,
		DryRun: admission.DryRunOf(r.URL.Query()["dryRun"]), Warn: func(string) {},
	}
	if err := h.Admission.Admit(r.Context(), a); err != nil {
		return err
	}
	return h.Admission.Validate(r.Context(), a)
}
