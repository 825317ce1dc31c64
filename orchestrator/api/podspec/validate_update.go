package podspec

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var specPath = field.NewPath("spec")

const (
	mayChange = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
		"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
		"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)

// ValidateUpdate returns every fault of a changed pod: nearly all of a pod's spec is fixed once it exists.
func ValidateUpdate(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateOfPod(&p.Spec, specPath)
	if counts(p, old, &errs) {
		return errs
	}
	errs = append(errs, validateDeadline(p, old)...)
	if len(old.Spec.SchedulingGates) > 0 {
		errs = append(errs, onlyRemoved(p.Spec.SchedulingGates, old.Spec.SchedulingGates)...)
	} else if len(p.Spec.SchedulingGates) > 0 {
		errs = append(errs, onlyRemoved(p.Spec.SchedulingGates, nil)...)
	}
	kept := p.Spec.DeepCopy()
	takeMutable(kept, &old.Spec)
	if !equality.Semantic.DeepEqual(*kept, old.Spec) {
		errs = append(errs, field.Forbidden(specPath, mayChange+"\n"+difference(&old.Spec, kept)))
	}
	return errs
}

// counts reports whether containers were added or removed, in which case nothing else is worth comparing.
func counts(p, old *corev1.Pod, errs *field.ErrorList) bool {
	stop := false
	if len(p.Spec.Containers) != len(old.Spec.Containers) {
		*errs = append(*errs, field.Forbidden(specPath.Child("containers"), "pod updates may not add or remove containers"))
		stop = true
	}
	if len(p.Spec.InitContainers) != len(old.Spec.InitContainers) {
		*errs = append(*errs, field.Forbidden(specPath.Child("initContainers"), "pod updates may not add or remove containers"))
		stop = true
	}
	return stop
}

// validateDeadline: a deadline may be set and shortened, never lengthened or dropped.
func validateDeadline(p, old *corev1.Pod) field.ErrorList {
	was, now, path := old.Spec.ActiveDeadlineSeconds, p.Spec.ActiveDeadlineSeconds, specPath.Child("activeDeadlineSeconds")
	switch {
	case was == nil:
		return nil
	case now == nil:
		return field.ErrorList{field.Invalid(path, now, "must not update from a positive integer to nil value")}
	case *now > *was:
		return field.ErrorList{field.Invalid(path, *now, "must be less than or equal to previous value")}
	}
	return nil
}

func onlyRemoved(gates, old []corev1.PodSchedulingGate) field.ErrorList {
	var errs field.ErrorList
	for i, gate := range gates {
		if !slices.Contains(old, gate) {
			errs = append(errs, field.Forbidden(specPath.Child("schedulingGates").Index(i), "only deletion is allowed, but found new scheduling gate '"+gate.Name+"'"))
		}
	}
	return errs
}

// takeMutable puts the old values into everything that may change, so that what still differs may not.
func takeMutable(spec, old *corev1.PodSpec) {
	for i := range spec.Containers {
		spec.Containers[i].Image = old.Containers[i].Image
	}
	for i := range spec.InitContainers {
		spec.InitContainers[i].Image = old.InitContainers[i].Image
	}
	spec.ActiveDeadlineSeconds = old.ActiveDeadlineSeconds
	if onlyAdded(spec.Tolerations, old.Tolerations) {
		spec.Tolerations = old.Tolerations
	}
	if g, was := spec.TerminationGracePeriodSeconds, old.TerminationGracePeriodSeconds; g != nil && was != nil && *g == 1 && *was < 0 {
		spec.TerminationGracePeriodSeconds = was
	}
	if len(old.SchedulingGates) > 0 {
		takeGated(spec, old)
	}
	spec.SchedulingGates = old.SchedulingGates
}

// takeGated: a gated pod's placement may be narrowed (KEP-3838).
func takeGated(spec, old *corev1.PodSpec) {
	narrowed := true
	for key, value := range old.NodeSelector {
		narrowed = narrowed && spec.NodeSelector[key] == value
	}
	if narrowed {
		spec.NodeSelector = old.NodeSelector
	}
	if spec.Affinity == nil {
		return
	}
	if old.Affinity == nil || old.Affinity.NodeAffinity == nil {
		spec.Affinity.NodeAffinity = nil
		if spec.Affinity.PodAffinity == nil && spec.Affinity.PodAntiAffinity == nil {
			spec.Affinity = old.Affinity
		}
	}
}

// onlyAdded: each toleration that there was still is; its seconds may change.
func onlyAdded(now, old []corev1.Toleration) bool {
	for i := range old {
		if !slices.ContainsFunc(now, func(t corev1.Toleration) bool { return t.MatchToleration(&old[i]) }) {
			return false
		}
	}
	return true
}

// ValidateEphemeral returns every fault of changed ephemeral containers: they are only ever added.
func ValidateEphemeral(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateOfPod(&p.Spec, specPath)
	path := specPath.Child("ephemeralContainers")
	now := map[string]*corev1.EphemeralContainer{}
	for i := range p.Spec.EphemeralContainers {
		now[p.Spec.EphemeralContainers[i].Name] = &p.Spec.EphemeralContainers[i]
	}
	for i := range old.Spec.EphemeralContainers {
		was := &old.Spec.EphemeralContainers[i]
		c, kept := now[was.Name]
		switch {
		case !kept:
			errs = append(errs, field.Forbidden(path, "existing ephemeral containers \""+was.Name+"\" may not be removed\n"))
		case !equality.Semantic.DeepEqual(c, was):
			errs = append(errs, field.Forbidden(path, "existing ephemeral containers \""+was.Name+"\" may not be changed\n"+difference(was, c)))
		}
	}
	return errs
}
