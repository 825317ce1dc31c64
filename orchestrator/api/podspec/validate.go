package podspec

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate returns every fault of a pod's or template's spec. labels are those of the pod that it would become.
func Validate(spec *corev1.PodSpec, labels map[string]string, path *field.Path) field.ErrorList {
	return nil
}

// ValidateTemplate returns every fault of a pod template.
func ValidateTemplate(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	return Validate(&template.Spec, template.Labels, path.Child("spec"))
}

// ValidateAlwaysRestarts is for templates of workloads that replace their pods: such pods restart always and have no deadline.
func ValidateAlwaysRestarts(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.RestartPolicy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(path.Child("restartPolicy"), spec.RestartPolicy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(path.Child("activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported"))
	}
	return errs
}
