package admission

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// podSecurity holds pods to the level that the labels of their namespace name (Pod Security Standards): enforce refuses, warn warns. The checks
// themselves are upstream's library. Nobody is exempt, and a namespace without labels is privileged.
type podSecurity struct {
	onlyValidates
	reader    objects.Reader
	evaluator policy.Evaluator
}

func newPodSecurity(reader objects.Reader) (*podSecurity, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, fmt.Errorf("pod security checks: %w", err)
	}
	return &podSecurity{reader: reader, evaluator: evaluator}, nil
}

// unlabelled is the policy of a namespace that says nothing.
var unlabelled = func() api.Policy {
	privileged := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	return api.Policy{Enforce: privileged, Audit: privileged, Warn: privileged}
}()

func (*podSecurity) Name() string { return "PodSecurity" }

func (*podSecurity) Handles(op Operation) bool { return op == Create || op == Update }

func (p *podSecurity) Validate(ctx context.Context, a *Attributes) error {
	switch obj := a.Object.(type) {
	case *corev1.Namespace:
		if a.Subresource == "" {
			return p.namespace(ctx, a, obj)
		}
	case *corev1.Pod:
		if a.Kind.Resource == "pods" && slices.Contains([]string{"", "ephemeralcontainers", "resize"}, a.Subresource) {
			return p.pod(ctx, a, obj)
		}
	default:
		if template := templateOf(a.Object); template != nil && a.Subresource == "" {
			return p.template(ctx, a, template)
		}
	}
	return nil
}

// templateOf a workload: violations of it are only warned about, since its pods will be refused anyway.
func templateOf(obj runtime.Object) *corev1.PodTemplateSpec {
	switch o := obj.(type) {
	case *corev1.PodTemplate:
		return &o.Template
	case *corev1.ReplicationController:
		return o.Spec.Template
	case *appsv1.ReplicaSet:
		return &o.Spec.Template
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	}
	return nil
}

// policyOf the attempt's namespace. Labels that say nothing sensible are read as the strictest level.
func (p *podSecurity) policyOf(ctx context.Context, a *Attributes) (api.Policy, error) {
	obj, err := freshly(ctx, p.reader, namespaces, "", a.Namespace)
	if err != nil {
		return api.Policy{}, err
	}
	found, _ := api.PolicyToEvaluate(obj.GetLabels(), unlabelled)
	return found, nil
}

func (p *podSecurity) pod(ctx context.Context, a *Attributes, pod *corev1.Pod) error {
	if old, ok := a.Old.(*corev1.Pod); ok && a.Operation == Update && !imagesChanged(pod, old) {
		return nil
	}
	found, err := p.policyOf(ctx, a)
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("failed to lookup namespace %q", a.Namespace))
	}
	if found.FullyPrivileged() {
		return nil
	}
	result := policy.AggregateCheckResults(p.evaluator.EvaluatePod(found.Enforce, &pod.ObjectMeta, &pod.Spec))
	if !result.Allowed {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, a.Name, fmt.Errorf("violates PodSecurity %q: %s", found.Enforce.String(), result.ForbiddenDetail()))
	}
	p.warn(a, found.Warn, &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec})
	return nil
}

func (p *podSecurity) template(ctx context.Context, a *Attributes, template *corev1.PodTemplateSpec) error {
	if found, err := p.policyOf(ctx, a); err == nil {
		p.warn(a, found.Warn, template)
	}
	return nil
}

func (p *podSecurity) warn(a *Attributes, level api.LevelVersion, template *corev1.PodTemplateSpec) {
	if level.Level == api.LevelPrivileged || a.Warn == nil {
		return
	}
	if result := policy.AggregateCheckResults(p.evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec)); !result.Allowed {
		a.Warn(fmt.Sprintf("would violate PodSecurity %q: %s", level.String(), result.ForbiddenDetail()))
	}
}

// imagesChanged: an update that brings other images or containers is judged anew.
func imagesChanged(pod, old *corev1.Pod) bool {
	images := func(p *corev1.Pod) []string {
		var all []string
		for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
			for i := range list {
				all = append(all, list[i].Image)
			}
			all = append(all, "")
		}
		return all
	}
	if !slices.Equal(images(pod), images(old)) {
		return true
	}
	before := map[string]string{}
	for i := range old.Spec.EphemeralContainers {
		before[old.Spec.EphemeralContainers[i].Name] = old.Spec.EphemeralContainers[i].Image
	}
	return slices.ContainsFunc(pod.Spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool {
		image, had := before[c.Name]
		return !had || image != c.Image
	})
}

// namespace refuses labels that name no level or version, and warns of the pods that a stricter level would not let in again.
func (p *podSecurity) namespace(ctx context.Context, a *Attributes, ns *corev1.Namespace) error {
	wanted, faults := api.PolicyToEvaluate(ns.Labels, unlabelled)
	var before api.Policy
	if old, ok := a.Old.(*corev1.Namespace); ok && a.Operation == Update {
		var oldFaults field.ErrorList
		if before, oldFaults = api.PolicyToEvaluate(old.Labels, unlabelled); reflect.DeepEqual(faults, oldFaults) {
			faults = nil
		}
	}
	if len(faults) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "Namespace"}, ns.Name, faults)
	}
	if a.Operation != Update || wanted.Enforce == before.Enforce || wanted.Enforce.Level == api.LevelPrivileged {
		return nil
	}
	if wanted.Enforce.Version == before.Enforce.Version && api.CompareLevels(wanted.Enforce.Level, before.Enforce.Level) < 1 {
		return nil
	}
	return p.warnOfPods(ctx, a, ns.Name, wanted.Enforce)
}

// maxPods is how many pods of a namespace are looked at when its level changes.
const maxPods = 3000

func (p *podSecurity) warnOfPods(ctx context.Context, a *Attributes, namespace string, level api.LevelVersion) error {
	list, err := p.reader.List(ctx, schema.GroupResource{Resource: "pods"}, namespace, nil)
	if err != nil {
		return errors.Join(errors.New("failed to list pods while checking new PodSecurity enforce level"), err)
	}
	if len(list) > maxPods {
		a.Warn(fmt.Sprintf("new PodSecurity enforce level only checked against the first %d of %d existing pods", maxPods, len(list)))
		list = list[:maxPods]
	}
	found := map[string][]string{}
	for _, obj := range list {
		pod, ok := obj.(*corev1.Pod)
		if !ok {
			return errWrongType
		}
		if result := policy.AggregateCheckResults(p.evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec)); !result.Allowed {
			found[result.ForbiddenReason()] = append(found[result.ForbiddenReason()], pod.Name)
		}
	}
	if len(found) == 0 {
		return nil
	}
	a.Warn(fmt.Sprintf("existing pods in namespace %q violate the new PodSecurity enforce level %q", namespace, level.String()))
	for _, line := range violations(found) {
		a.Warn(line)
	}
	return nil
}

// violations are one line per reason, which names the first of its pods.
func violations(found map[string][]string) []string {
	var lines []string
	for reason, names := range found {
		first := slices.Min(names)
		switch len(names) {
		case 1:
			lines = append(lines, fmt.Sprintf("%s: %s", first, reason))
		case 2:
			lines = append(lines, fmt.Sprintf("%s (and 1 other pod): %s", first, reason))
		default:
			lines = append(lines, fmt.Sprintf("%s (and %d other pods): %s", first, len(names)-1, reason))
		}
	}
	slices.Sort(lines)
	return lines
}
