package podspec

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// sysctlName is the form of a kernel parameter's name, with dots or slashes.
const sysctlName = `([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?`

var sysctlPattern = regexp.MustCompile("^" + sysctlName + "$")

func validatePodSecurity(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	s, at := spec.SecurityContext, path.Child("securityContext")
	if s == nil {
		s = &corev1.PodSecurityContext{}
	}
	errs := validateIDs(s.RunAsUser, s.RunAsGroup, at)
	errs = append(errs, validateID(s.FSGroup, at.Child("fsGroup"))...)
	for i := range s.SupplementalGroups {
		errs = append(errs, validateID(&s.SupplementalGroups[i], at.Child("supplementalGroups").Index(i))...)
	}
	seen := map[string]bool{}
	for i, sysctl := range s.Sysctls {
		name := at.Child("sysctls").Index(i).Child("name")
		switch {
		case sysctl.Name == "":
			errs = append(errs, field.Required(name, ""))
		case len(sysctl.Name) > 253 || !sysctlPattern.MatchString(sysctl.Name):
			errs = append(errs, field.Invalid(name, sysctl.Name, "must have at most 253 characters and match regex ^"+sysctlName+"$"))
		case seen[sysctl.Name]:
			errs = append(errs, field.Duplicate(name, sysctl.Name))
		}
		seen[sysctl.Name] = true
	}
	if spec.HostPID && spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace {
		errs = append(errs, field.Invalid(path.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"))
	}
	return errs
}

func validateContainerSecurity(s *corev1.SecurityContext, path *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	errs := validateIDs(s.RunAsUser, s.RunAsGroup, path)
	if s.ProcMount != nil && *s.ProcMount != corev1.DefaultProcMount && *s.ProcMount != corev1.UnmaskedProcMount {
		errs = append(errs, field.NotSupported(path.Child("procMount"), *s.ProcMount,
			[]corev1.ProcMountType{corev1.DefaultProcMount, corev1.UnmaskedProcMount}))
	}
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		return errs
	}
	if s.Privileged != nil && *s.Privileged {
		errs = append(errs, field.Invalid(path, s, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
	}
	if s.Capabilities != nil {
		for _, c := range s.Capabilities.Add {
			if c == "CAP_SYS_ADMIN" {
				errs = append(errs, field.Invalid(path, s, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
			}
		}
	}
	return errs
}

func validateIDs(user, group *int64, path *field.Path) field.ErrorList {
	return append(validateID(user, path.Child("runAsUser")), validateID(group, path.Child("runAsGroup"))...)
}

func validateID(id *int64, path *field.Path) field.ErrorList {
	if id == nil {
		return nil
	}
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsValidUserID(*id) {
		errs = append(errs, field.Invalid(path, *id, msg))
	}
	return errs
}
