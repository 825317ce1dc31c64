package podspec

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// ValidateStatus returns every fault of a changed status: a container that ended for good may not be alive again, and addresses have the form of
// such. To what they lead is not looked at, as stock does not: whoever dials one must.
func ValidateStatus(p, old *corev1.Pod) field.ErrorList {
	path := field.NewPath("status")
	now, was := &p.Status, &old.Status
	errs := validateConditions(now.Conditions, path.Child("conditions"))
	if was.NominatedNodeName != now.NominatedNodeName && now.NominatedNodeName != "" {
		for _, msg := range utilvalidation.IsDNS1123Subdomain(now.NominatedNodeName) {
			errs = append(errs, field.Invalid(path.Child("nominatedNodeName"), now.NominatedNodeName, msg))
		}
	}
	if now.ObservedGeneration < 0 {
		errs = append(errs, field.Invalid(path.Child("observedGeneration"), now.ObservedGeneration, "must be a non-negative integer"))
	}
	if was.QOSClass != "" && now.QOSClass != was.QOSClass {
		errs = append(errs, field.Invalid(path.Child("qosClass"), now.QOSClass, "field is immutable"))
	}
	if p.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		errs = append(errs, revived(now.ContainerStatuses, was.ContainerStatuses, &p.Spec, path.Child("containerStatuses"))...)
	}
	errs = append(errs, validateAddresses(texts(now.PodIPs), texts(was.PodIPs), now.PodIPs, path.Child("podIPs"))...)
	if len(now.HostIPs) > 0 && now.HostIP != now.HostIPs[0].IP {
		errs = append(errs, field.Invalid(path.Child("hostIPs").Index(0).Child("ip"), now.HostIPs[0].IP, "must be equal to `hostIP`"))
	}
	return append(errs, validateAddresses(hostTexts(now.HostIPs), hostTexts(was.HostIPs), now.HostIPs, path.Child("hostIPs"))...)
}

func validateConditions(conditions []corev1.PodCondition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range conditions {
		for _, msg := range utilvalidation.IsQualifiedName(string(c.Type)) {
			errs = append(errs, field.Invalid(path.Index(i).Child("Type"), string(c.Type), msg)) // so stock spells it
		}
	}
	return errs
}

// validateAddresses: at most one of each family. Those that were there before are believed, whatever their form. shown is the list as stock names it.
func validateAddresses(now, old []string, shown any, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, ip := range now {
		errs = append(errs, utilvalidation.IsValidIPForLegacyField(path.Index(i), ip, true, old)...)
	}
	if len(now) < 2 {
		return errs
	}
	for i, ip := range now {
		if !strings.ContainsAny(ip, ".:") {
			errs = append(errs, field.InternalError(path, fmt.Errorf("failed to check for dual stack with error:invalid IP[%d]: %s", i, ip)))
			break
		}
	}
	if len(now) > 2 || strings.Contains(now[0], ":") == strings.Contains(now[1], ":") {
		errs = append(errs, field.Invalid(path, kind.Untagged(shown), "may specify no more than one IP for each IP family"))
	}
	return errs
}

func texts(ips []corev1.PodIP) []string {
	all := make([]string, len(ips))
	for i := range ips {
		all[i] = ips[i].IP
	}
	return all
}

func hostTexts(ips []corev1.HostIP) []string {
	all := make([]string, len(ips))
	for i := range ips {
		all[i] = ips[i].IP
	}
	return all
}

func revived(now, old []corev1.ContainerStatus, spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, was := range old {
		ended := was.State.Terminated
		if ended == nil || (ended.ExitCode != 0 && spec.RestartPolicy == corev1.RestartPolicyOnFailure) {
			continue
		}
		for i := range now {
			if now[i].Name == was.Name && now[i].State.Terminated == nil {
				errs = append(errs, field.Forbidden(path.Index(i).Child("state"), "may not be transitioned to non-terminated state"))
			}
		}
	}
	return errs
}
