package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// runtimeClass gives a pod the overhead, the node selector and the tolerations of its RuntimeClass.
type runtimeClass struct {
	reader objects.Reader
}

func (*runtimeClass) Name() string { return "RuntimeClass" }

func (*runtimeClass) Handles(op Operation) bool { return op == Create }

func (r *runtimeClass) Admit(ctx context.Context, a *Attributes) error {
	pod, ok := a.newPod()
	if !ok {
		return nil
	}
	class, err := r.classOf(ctx, a, pod)
	if err != nil || class == nil {
		return err
	}
	if class.Overhead != nil {
		if pod.Spec.Overhead != nil && !equality.Semantic.DeepEqual(class.Overhead.PodFixed, pod.Spec.Overhead) {
			return refuse(a, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
		}
		pod.Spec.Overhead = class.Overhead.PodFixed.DeepCopy()
	}
	return place(a, pod, class.Scheduling)
}

// classOf is nil for a pod that names no class.
func (r *runtimeClass) classOf(ctx context.Context, a *Attributes, pod *corev1.Pod) (*nodev1.RuntimeClass, error) {
	if pod.Spec.RuntimeClassName == nil {
		return nil, nil
	}
	name := *pod.Spec.RuntimeClassName
	obj, err := freshly(ctx, r.reader, schema.GroupResource{Group: nodev1.GroupName, Resource: "runtimeclasses"}, "", name)
	if apierrors.IsNotFound(err) {
		return nil, refuse(a, "pod rejected: RuntimeClass %q not found", name)
	}
	if err != nil {
		return nil, err
	}
	class, ok := obj.(*nodev1.RuntimeClass)
	if !ok {
		return nil, errWrongType
	}
	return class, nil
}

// place merges where the class's nodes are into where the pod wants to be.
func place(a *Attributes, pod *corev1.Pod, scheduling *nodev1.Scheduling) error {
	if scheduling == nil {
		return nil
	}
	for key, value := range scheduling.NodeSelector {
		if own, ok := pod.Spec.NodeSelector[key]; ok && own != value {
			return refuse(a, "conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s", key, value, key, own)
		}
		if pod.Spec.NodeSelector == nil {
			pod.Spec.NodeSelector = map[string]string{}
		}
		pod.Spec.NodeSelector[key] = value
	}
	for _, t := range scheduling.Tolerations {
		if !containsToleration(pod.Spec.Tolerations, t) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, t)
		}
	}
	return nil
}

func containsToleration(list []corev1.Toleration, t corev1.Toleration) bool {
	for i := range list {
		if equality.Semantic.DeepEqual(list[i], t) {
			return true
		}
	}
	return false
}

func (r *runtimeClass) Validate(ctx context.Context, a *Attributes) error {
	pod, ok := a.newPod()
	if !ok {
		return nil
	}
	class, err := r.classOf(ctx, a, pod)
	if err != nil {
		return err
	}
	if pod.Spec.Overhead != nil && (class == nil || class.Overhead == nil) {
		return refuse(a, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
	}
	return nil
}
