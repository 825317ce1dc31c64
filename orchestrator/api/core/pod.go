package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// proxied are the verbs of the proxy subresources.
var proxied = []string{"create", "delete", "get", "patch", "update"}

// Pod is the catalogue entry of pods.
func Pod() kind.Kind {
	v1 := corev1.SchemeGroupVersion
	return kind.Kind{
		Names:      kind.Names{Kind: "Pod", Resource: "pods", Singular: "pod", ShortNames: []string{"po"}, Categories: []string{"all"}},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.Pod{}, &corev1.PodList{})},
		Storage:    kind.Stored("pods", v1, &corev1.Pod{}),
		Columns:    kind.Table("Name;Ready;Status;Restarts;Age;IP*;Node*;Nominated Node*;Readiness Gates*", podDocs),
		Cells:      kind.Cells(podCells),
		Fields: kind.Fields(func(p *corev1.Pod) fields.Set {
			return fields.Set{
				"spec.nodeName":            p.Spec.NodeName,
				"spec.restartPolicy":       string(p.Spec.RestartPolicy),
				"spec.schedulerName":       p.Spec.SchedulerName,
				"spec.serviceAccountName":  p.Spec.ServiceAccountName,
				"spec.hostNetwork":         boolText(p.Spec.HostNetwork),
				"status.phase":             string(p.Status.Phase),
				"status.podIP":             p.Status.PodIP,
				"status.nominatedNodeName": p.Status.NominatedNodeName,
			}
		}),
		Rules: podRules(),
		Subresources: map[string]kind.Subresource{
			"status":              kind.Status(podStatusRules()),
			"ephemeralcontainers": kind.Status(podEphemeralRules()),
			"resize":              kind.Status(podResizeRules()),
			"binding":             kind.Connect(v1.WithKind("Binding"), "create"),
			"eviction":            kind.Connect(policyv1.SchemeGroupVersion.WithKind("Eviction"), "create"),
			"log":                 {Verbs: []string{"get"}},
			"exec":                kind.Connect(v1.WithKind("PodExecOptions"), "create", "get"),
			"attach":              kind.Connect(v1.WithKind("PodAttachOptions"), "create", "get"),
			"portforward":         kind.Connect(v1.WithKind("PodPortForwardOptions"), "create", "get"),
			"proxy":               kind.Connect(v1.WithKind("PodProxyOptions"), proxied...),
		},
		GracePeriod: podGracePeriod,
	}
}

func podRules() kind.Rules {
	return kind.Typed[*corev1.Pod]{
		Normalise: normalisePod,
		Default:   defaultPod,
		PrepareCreate: func(_ context.Context, p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: podspec.QOS(&p.Spec)}
			if len(p.Spec.SchedulingGates) > 0 {
				p.Status.Conditions = []corev1.PodCondition{{
					Type:    corev1.PodScheduled,
					Status:  corev1.ConditionFalse,
					Reason:  corev1.PodReasonSchedulingGated,
					Message: "Scheduling is blocked due to non-empty scheduling gates",
				}}
			}
			podspec.ExpandLabelKeys(&p.Spec, p.Labels)
			// Admission may have filled in the service account since.
			podspec.Normalise(&p.Spec)
		},
		ValidateCreate:      validatePod,
		PrepareUpdate:       func(_ context.Context, p, old *corev1.Pod) { p.Status = old.Status },
		ValidateUpdate:      validatePodUpdate,
		Generation:          podGeneration,
		Warnings:            podWarnings,
		UnconditionalUpdate: true,
	}.Rules()
}

// podGeneration counts what people ask of a pod: its spec and its deletion. Which node it was given is the scheduler's word, not theirs.
func podGeneration(p, old *corev1.Pod) bool {
	spec := p.Spec
	spec.NodeName = old.Spec.NodeName
	return !equality.Semantic.DeepEqual(spec, old.Spec) || (p.DeletionTimestamp != nil && old.DeletionTimestamp == nil)
}

// podStatusRules let a write of status change no spec, and no owners (a kubelet's copy of them may be stale).
func podStatusRules() kind.Rules {
	return kind.Typed[*corev1.Pod]{
		PrepareUpdate: func(_ context.Context, p, old *corev1.Pod) {
			p.Spec = old.Spec
			p.OwnerReferences = old.OwnerReferences
			p.DeletionTimestamp = old.DeletionTimestamp
			if p.Status.QOSClass == "" {
				p.Status.QOSClass = old.Status.QOSClass
			}
		},
		ValidateUpdate: validatePodStatus,
		Warnings:       podStatusWarnings,
		Resets:         []string{"spec", "metadata.deletionTimestamp", "metadata.ownerReferences"},
	}.Rules()
}

// podEphemeralRules let a write of ephemeralcontainers change nothing else.
func podEphemeralRules() kind.Rules {
	return kind.Typed[*corev1.Pod]{
		PrepareUpdate: func(_ context.Context, p, old *corev1.Pod) {
			wanted := p.Spec.EphemeralContainers
			old.DeepCopy().Spec.DeepCopyInto(&p.Spec)
			p.Spec.EphemeralContainers = wanted
			p.Status = *old.Status.DeepCopy()
			p.Labels, p.Annotations = old.Labels, old.Annotations
			p.Finalizers, p.OwnerReferences = old.Finalizers, old.OwnerReferences
		},
		ValidateUpdate: validateEphemeralUpdate,
	}.Rules()
}

// podResizeRules let a write of resize change only the resources of containers.
func podResizeRules() kind.Rules {
	return kind.Typed[*corev1.Pod]{
		PrepareUpdate: func(_ context.Context, p, old *corev1.Pod) {
			p.Spec = podspec.Resized(&p.Spec, &old.Spec)
			p.Status = *old.Status.DeepCopy()
			p.Labels, p.Annotations = old.Labels, old.Annotations
			p.Finalizers, p.OwnerReferences = old.Finalizers, old.OwnerReferences
		},
		ValidateUpdate: validateResize,
	}.Rules()
}

// defaultPod fills a pod: its spec as everywhere, and what only pods get.
func defaultPod(p *corev1.Pod) {
	podspec.DefaultPod(&p.Spec)
	podspec.Default(&p.Spec)
}

// normalisePod makes the singular fields agree with the first of the plural ones.
func normalisePod(p *corev1.Pod) {
	podspec.Normalise(&p.Spec)
	s := &p.Status
	switch {
	case len(s.PodIPs) == 0 && s.PodIP != "":
		s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
	case len(s.PodIPs) > 0 && s.PodIP != s.PodIPs[0].IP:
		if s.PodIP == "" {
			s.PodIP = s.PodIPs[0].IP
		} else {
			s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
		}
	}
}

// podGracePeriod: the options', else the spec's; a pod that no kubelet runs goes at once.
func podGracePeriod(obj kind.Object, asked *int64) int64 {
	p := obj.(*corev1.Pod)
	period := int64(0)
	switch {
	case asked != nil:
		period = *asked
	case p.Spec.TerminationGracePeriodSeconds != nil:
		period = *p.Spec.TerminationGracePeriodSeconds
	}
	if p.Spec.NodeName == "" || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		return 0
	}
	if period < 0 {
		// A negative period reads as "as soon as possible", which is a second.
		return 1
	}
	return period
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
