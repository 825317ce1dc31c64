package podspec

import (
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// sysctlName is the form of a kernel parameter's name, with dots or slashes.
const sysctlName = `([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?`

var sysctlPattern = regexp.MustCompile("^" + sysctlName + "$")

func validatePodSecurity(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	s, at := spec.SecurityContext, path.Child("securityContext")
	if s == nil {
		s = &corev1.PodSecurityContext{}
	}
	errs := validateID(s.FSGroup, at.Child("fsGroup"))
	errs = append(errs, validateIDs(s.RunAsUser, s.RunAsGroup, at)...)
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
	errs = append(errs, oneOf(s.FSGroupChangePolicy, at.Child("fsGroupChangePolicy"), corev1.FSGroupChangeAlways, corev1.FSGroupChangeOnRootMismatch)...)
	errs = append(errs, oneOf(s.SELinuxChangePolicy, at.Child("seLinuxChangePolicy"), corev1.SELinuxChangePolicyMountOption, corev1.SELinuxChangePolicyRecursive)...)
	errs = append(errs, oneOf(s.SupplementalGroupsPolicy, at.Child("supplementalGroupsPolicy"), corev1.SupplementalGroupsPolicyMerge, corev1.SupplementalGroupsPolicyStrict)...)
	errs = append(errs, validateProfiles(s.SeccompProfile, s.AppArmorProfile, at)...)
	if spec.HostUsers != nil && !*spec.HostUsers && spec.HostNetwork {
		errs = append(errs, field.Forbidden(path.Child("hostNetwork"), "when `hostUsers` is false"))
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
	errs = append(errs, validateProfiles(s.SeccompProfile, s.AppArmorProfile, path)...)
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		return errs
	}
	if s.Privileged != nil && *s.Privileged {
		errs = append(errs, field.Invalid(path, kind.Untagged(*s), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
	}
	if s.Capabilities != nil {
		for _, c := range s.Capabilities.Add {
			if c == "CAP_SYS_ADMIN" {
				errs = append(errs, field.Invalid(path, kind.Untagged(*s), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
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

// validateProfiles of seccomp and AppArmor: one that lies on the node is named, the others are not.
func validateProfiles(seccomp *corev1.SeccompProfile, armor *corev1.AppArmorProfile, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if seccomp != nil {
		at := path.Child("seccompProfile")
		errs = append(errs, oneOf(&seccomp.Type, at.Child("type"), corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined)...)
		errs = append(errs, localProfile(seccomp.Type == corev1.SeccompProfileTypeLocalhost, seccomp.LocalhostProfile, "seccomp", at)...)
	}
	if armor != nil {
		at := path.Child("appArmorProfile")
		errs = append(errs, oneOf(&armor.Type, at.Child("type"), corev1.AppArmorProfileTypeLocalhost, corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeUnconfined)...)
		errs = append(errs, localProfile(armor.Type == corev1.AppArmorProfileTypeLocalhost, armor.LocalhostProfile, "AppArmor", at)...)
	}
	return errs
}

func localProfile(local bool, profile *string, of string, path *field.Path) field.ErrorList {
	at := path.Child("localhostProfile")
	switch {
	case local && (profile == nil || *profile == ""):
		return field.ErrorList{field.Required(at, "must be set when "+of+" type is Localhost")}
	case !local && profile != nil:
		return field.ErrorList{field.Invalid(at, *profile, "can only be set when "+of+" type is Localhost")}
	}
	return nil
}

// oneOf the known values is what an optional field has.
func oneOf[T ~string](value *T, path *field.Path, known ...T) field.ErrorList {
	if value == nil || slices.Contains(known, *value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, *value, known)}
}
