package podspec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateTemplate returns every fault of a pod template.
func ValidateTemplate(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	errs := metavalidation.ValidateLabels(template.Labels, path.Child("labels"))
	errs = append(errs, validation.ValidateAnnotations(template.Annotations, path.Child("annotations"))...)
	errs = append(errs, Validate(&template.Spec, path.Child("spec"))...)
	if len(template.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	return errs
}

// Validate returns every fault of a pod's or template's spec.
func Validate(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	return validate(spec, nil, path)
}

// validate a spec. labels are those of a new pod, whose label keys have been expanded; nil otherwise.
func validate(spec *corev1.PodSpec, labels map[string]string, path *field.Path) field.ErrorList {
	volumes, errs := validateVolumes(spec.Volumes, path.Child("volumes"))
	errs = append(errs, validateContainers(spec, volumes, path)...)
	errs = append(errs, validatePolicies(spec, path)...)
	errs = append(errs, metavalidation.ValidateLabels(spec.NodeSelector, path.Child("nodeSelector"))...)
	errs = append(errs, validatePodSecurity(spec, path)...)
	errs = append(errs, validateAffinity(spec.Affinity, labels, path.Child("affinity"))...)
	errs = append(errs, validateNames(spec, path)...)
	errs = append(errs, ValidateTolerations(spec.Tolerations, path.Child("tolerations"))...)
	errs = append(errs, validateSpread(spec.TopologySpreadConstraints, labels, path.Child("topologySpreadConstraints"))...)
	errs = append(errs, validateGates(spec, path)...)
	if spec.OS != nil && spec.OS.Name != corev1.Linux && spec.OS.Name != corev1.Windows {
		errs = append(errs, field.NotSupported(path.Child("os"), spec.OS.Name, []corev1.OSName{corev1.Linux, corev1.Windows}))
	}
	return errs
}

// ValidateOfPod returns every fault of a pod's spec, which obeys more than a template's.
func ValidateOfPod(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	return append(Validate(spec, path), validateImages(spec, path)...)
}

// ValidateNew returns every fault of a new pod's spec.
func ValidateNew(p *corev1.Pod) field.ErrorList {
	labels := p.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	return append(validate(&p.Spec, labels, specPath), validateImages(&p.Spec, specPath)...)
}

func validateImages(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range spec.Containers {
		errs = append(errs, validateImage(&spec.Containers[i], path.Child("containers").Index(i))...)
	}
	for i := range spec.InitContainers {
		errs = append(errs, validateImage(&spec.InitContainers[i], path.Child("initContainers").Index(i))...)
	}
	return errs
}

func validateImage(c *corev1.Container, path *field.Path) field.ErrorList {
	if trimmed(c.Image) {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("image"), c.Image, "must not have leading or trailing whitespace")}
}

// validatePolicies covers restarts, DNS, deadlines and the grace period.
func validatePolicies(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch spec.RestartPolicy {
	case corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever:
	default:
		errs = append(errs, field.NotSupported(path.Child("restartPolicy"), spec.RestartPolicy,
			[]corev1.RestartPolicy{corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}))
	}
	switch spec.DNSPolicy {
	case corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, corev1.DNSDefault:
	case corev1.DNSNone:
		if spec.DNSConfig == nil {
			errs = append(errs, field.Required(path.Child("dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None"))
		} else if len(spec.DNSConfig.Nameservers) == 0 {
			errs = append(errs, field.Required(path.Child("dnsConfig", "nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"))
		}
	default:
		errs = append(errs, field.NotSupported(path.Child("dnsPolicy"), spec.DNSPolicy, []corev1.DNSPolicy{
			corev1.DNSClusterFirstWithHostNet, corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone}))
	}
	errs = append(errs, validateDNS(spec.DNSConfig, path.Child("dnsConfig"))...)
	if d := spec.ActiveDeadlineSeconds; d != nil && (*d < 1 || *d > 1<<31-1) {
		errs = append(errs, field.Invalid(path.Child("activeDeadlineSeconds"), *d, utilvalidation.InclusiveRangeError(1, 1<<31-1)))
	}
	return errs
}

// validateNames covers what names something else: accounts, nodes, hosts, classes.
func validateNames(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(name string, at *field.Path, rule func(string) []string) {
		if name == "" {
			return
		}
		for _, msg := range rule(name) {
			errs = append(errs, field.Invalid(at, name, msg))
		}
	}
	subdomain := func(s string) []string { return utilvalidation.IsDNS1123Subdomain(s) }
	label := func(s string) []string { return utilvalidation.IsDNS1123Label(s) }
	check(spec.ServiceAccountName, path.Child("serviceAccountName"), subdomain)
	check(spec.NodeName, path.Child("nodeName"), subdomain)
	check(spec.Hostname, path.Child("hostname"), label)
	check(spec.Subdomain, path.Child("subdomain"), label)
	check(spec.PriorityClassName, path.Child("priorityClassName"), subdomain)
	if spec.RuntimeClassName != nil {
		check(*spec.RuntimeClassName, path.Child("runtimeClassName"), subdomain)
	}
	for i, alias := range spec.HostAliases {
		at := path.Child("hostAliases").Index(i)
		errs = append(errs, utilvalidation.IsValidIPForLegacyField(at.Child("ip"), alias.IP, true, nil)...)
		for j, name := range alias.Hostnames {
			check(name, at.Child("hostnames").Index(j), subdomain)
		}
	}
	return errs
}

// validateGates covers scheduling gates, readiness gates and overhead.
func validateGates(spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := sets.New[string]()
	for i, gate := range spec.SchedulingGates {
		at := path.Child("schedulingGates").Index(i)
		for _, msg := range utilvalidation.IsQualifiedName(gate.Name) {
			errs = append(errs, field.Invalid(at, gate.Name, msg))
		}
		if seen.Has(gate.Name) {
			errs = append(errs, field.Duplicate(at, gate.Name))
		}
		seen.Insert(gate.Name)
	}
	if len(spec.SchedulingGates) > 0 && spec.NodeName != "" {
		errs = append(errs, field.Forbidden(path.Child("nodeName"), "cannot be set until all schedulingGates have been cleared"))
	}
	for i, gate := range spec.ReadinessGates {
		for _, msg := range utilvalidation.IsQualifiedName(string(gate.ConditionType)) {
			errs = append(errs, field.Invalid(path.Child("readinessGates").Index(i).Child("conditionType"), gate.ConditionType, msg))
		}
	}
	for _, name := range SortedNames(spec.Overhead) {
		if amount := spec.Overhead[name]; amount.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Child("overhead", "limits").Key(string(name)), amount.String(), "must be greater than or equal to 0"))
		}
	}
	return errs
}

// ValidateAlwaysRestarts is for templates of workloads (of is their kind) that replace their pods: such pods restart always and have no deadline.
func ValidateAlwaysRestarts(of string, spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.RestartPolicy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(path.Child("restartPolicy"), spec.RestartPolicy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(path.Child("activeDeadlineSeconds"), "activeDeadlineSeconds in "+of+" is not Supported"))
	}
	return errs
}

func trimmed(s string) bool { return s == strings.TrimSpace(s) }
