package podspec

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// resizable are the resources that a running pod may get more or less of (KEP-1287).
var resizable = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}

// Resized is what the resize subresource makes of a pod: the old spec with the resources and resize policies that are wanted. Whatever else is
// wanted does not count, but for containers that come or go, which ValidateResize is to see.
func Resized(wanted, old *corev1.PodSpec) corev1.PodSpec {
	spec := *old.DeepCopy()
	spec.Resources = wanted.Resources
	spec.Containers = resizedContainers(wanted.Containers, spec.Containers)
	spec.InitContainers = resizedContainers(wanted.InitContainers, spec.InitContainers)
	return spec
}

func resizedContainers(wanted, old []corev1.Container) []corev1.Container {
	if !sameContainers(wanted, old) {
		return wanted
	}
	for i := range old {
		old[i].Resources, old[i].ResizePolicy = wanted[i].Resources, wanted[i].ResizePolicy
	}
	return old
}

func sameContainers(a, b []corev1.Container) bool {
	return slices.EqualFunc(a, b, func(a, b corev1.Container) bool { return a.Name == b.Name })
}

// ValidateResize returns every fault of changed resources: only cpu and memory change, none of them is taken away, and the QoS class stays.
func ValidateResize(p, old *corev1.Pod) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []struct {
		name     string
		now, was []corev1.Container
	}{{"containers", p.Spec.Containers, old.Spec.Containers}, {"initContainers", p.Spec.InitContainers, old.Spec.InitContainers}} {
		if !sameContainers(list.now, list.was) {
			errs = append(errs, field.Forbidden(specPath.Child(list.name), list.name+" may not be added or removed on resize"))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	errs = ValidateOfPod(&p.Spec, specPath)
	if was := QOS(&old.Spec); QOS(&p.Spec) != was {
		errs = append(errs, field.Invalid(specPath, was, "Pod QOS Class may not change as a result of resizing"))
	}
	unchanged := p.Spec.DeepCopy()
	errs = append(errs, takeBack(unchanged.Containers, old.Spec.Containers, specPath.Child("containers"))...)
	errs = append(errs, takeBack(unchanged.InitContainers, old.Spec.InitContainers, specPath.Child("initContainers"))...)
	if unchanged.Resources != nil && old.Spec.Resources != nil {
		takeBackResources(unchanged.Resources, old.Spec.Resources)
	}
	if !equality.Semantic.DeepEqual(unchanged, &old.Spec) {
		errs = append(errs, field.Forbidden(specPath, "only cpu and memory resources are mutable"))
	}
	return errs
}

// takeBack undoes what may be changed, so that what still differs may not, and tells what was taken away.
func takeBack(now, old []corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range now {
		requests, limits := takeBackResources(&now[i].Resources, &old[i].Resources)
		at := path.Index(i).Child("resources")
		if requests {
			errs = append(errs, field.Forbidden(at.Child("requests"), "resource requests cannot be removed"))
		}
		if limits {
			errs = append(errs, field.Forbidden(at.Child("limits"), "resource limits cannot be removed"))
		}
	}
	return errs
}

func takeBackResources(now, old *corev1.ResourceRequirements) (lostRequests, lostLimits bool) {
	now.Requests, lostRequests = takeBackList(now.Requests, old.Requests)
	now.Limits, lostLimits = takeBackList(now.Limits, old.Limits)
	return lostRequests, lostLimits
}

func takeBackList(now, old corev1.ResourceList) (corev1.ResourceList, bool) {
	undone, lost := corev1.ResourceList{}, false
	for name, amount := range now {
		undone[name] = amount
	}
	for _, name := range resizable {
		amount, had := old[name]
		_, has := now[name]
		lost = lost || had && !has
		if delete(undone, name); had {
			undone[name] = amount
		}
	}
	return undone, lost
}
