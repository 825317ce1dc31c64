package admission

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

var errWrongType = errors.New("the cache holds an object of another type")

// priority resolves the priority class of a pod, and keeps at most one class the default.
type priority struct {
	reader objects.Reader
}

var priorityClasses = schema.GroupResource{Group: schedulingv1.GroupName, Resource: "priorityclasses"}

func (*priority) Name() string { return "Priority" }

func (*priority) Handles(op Operation) bool { return op == Create || op == Update }

func (p *priority) Admit(ctx context.Context, a *Attributes) error {
	pod, ok := a.Object.(*corev1.Pod)
	if !ok || !a.isCore("pods", "") {
		return nil
	}
	if a.Operation == Update {
		// An old client may send a pod without the priority that it was given.
		if old, ok := a.Old.(*corev1.Pod); ok && pod.Spec.Priority == nil && old.Spec.PriorityClassName == pod.Spec.PriorityClassName {
			pod.Spec.Priority = old.Spec.Priority
		}
		return nil
	}
	class, err := p.classOf(ctx, a, pod)
	if err != nil {
		return err
	}
	value, preemption := int32(0), corev1.PreemptLowerPriority
	if class != nil {
		pod.Spec.PriorityClassName = class.Name
		value = class.Value
		if class.PreemptionPolicy != nil {
			preemption = *class.PreemptionPolicy
		}
	}
	if pod.Spec.Priority != nil && *pod.Spec.Priority != value {
		return refuse(a, "the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name", *pod.Spec.Priority, value)
	}
	if pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy != preemption {
		return refuse(a, "the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name", *pod.Spec.PreemptionPolicy, preemption)
	}
	pod.Spec.Priority, pod.Spec.PreemptionPolicy = &value, &preemption
	return nil
}

// classOf returns the named class, or the default one; nil when there is none.
func (p *priority) classOf(ctx context.Context, a *Attributes, pod *corev1.Pod) (*schedulingv1.PriorityClass, error) {
	name := pod.Spec.PriorityClassName
	if name == "" {
		return p.standard(ctx)
	}
	obj, err := freshly(ctx, p.reader, priorityClasses, "", name)
	if apierrors.IsNotFound(err) {
		return nil, refuse(a, "no PriorityClass with name %v was found", name)
	}
	if err != nil {
		return nil, err
	}
	class, ok := obj.(*schedulingv1.PriorityClass)
	if !ok {
		return nil, apierrors.NewInternalError(errWrongType)
	}
	return class, nil
}

// standard is the lowest of the classes that call themselves the default.
func (p *priority) standard(ctx context.Context) (*schedulingv1.PriorityClass, error) {
	list, err := p.reader.List(ctx, priorityClasses, "", nil)
	if err != nil {
		return nil, err
	}
	var lowest *schedulingv1.PriorityClass
	for _, obj := range list {
		class, ok := obj.(*schedulingv1.PriorityClass)
		if ok && class.GlobalDefault && (lowest == nil || class.Value < lowest.Value) {
			lowest = class
		}
	}
	return lowest, nil
}

func (p *priority) Validate(ctx context.Context, a *Attributes) error {
	class, ok := a.Object.(*schedulingv1.PriorityClass)
	if !ok || !class.GlobalDefault {
		return nil
	}
	present, err := p.standard(ctx)
	if err != nil {
		return err
	}
	if present != nil && present.Name != class.Name {
		return refuse(a, "PriorityClass %v is already marked as default. Only one default can exist", present.Name)
	}
	return nil
}
