// Package static runs pods of files: each file of a folder is a pod of this node, whatever the API says.
//
// Folder reads the files and hands pods to the workers as source does for the API's. Mirrors shows them in the API: a mirror pod is an
// object that carries a static pod's status and cannot change it. Names, annotations and tolerations are stock's ("Create static Pods").
package static

import (
	"crypto/md5" //nolint:gosec // an identity, not a secret: stock's is md5 too
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Parse makes a pod of this node from a file's content. The same file gives the same pod, UID included, so that a kubelet started again
// finds what runs.
func Parse(data []byte, file, node string) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	if err := yaml.Unmarshal(data, pod); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	if pod.Kind != "Pod" || pod.APIVersion != "v1" {
		return nil, fmt.Errorf("parse %s: apiVersion %q kind %q: want v1 Pod", file, pod.APIVersion, pod.Kind)
	}
	pod.TypeMeta = metav1.TypeMeta{}
	podspec.Default(&pod.Spec)
	podspec.DefaultPod(&pod.Spec)
	if err := complete(pod, file, node); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	if err := check(pod); err != nil {
		return nil, fmt.Errorf("pod of %s: %w", file, err)
	}
	return pod, nil
}

func complete(pod *corev1.Pod, file, node string) error {
	if pod.UID == "" {
		data, err := json.Marshal(pod)
		if err != nil {
			return err
		}
		sum := md5.Sum(fmt.Appendf(data, "host:%sfile:%s", node, file)) //nolint:gosec // see above
		pod.UID = types.UID(hex.EncodeToString(sum[:]))
	}
	pod.Name = fmt.Sprintf("%s-%s", pod.Name, strings.ToLower(node))
	if pod.Namespace == "" {
		pod.Namespace = metav1.NamespaceDefault
	}
	pod.Spec.NodeName = node
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[podinfo.SourceAnnotation] = "file"
	pod.Annotations[podinfo.HashAnnotation] = string(pod.UID)
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute})
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
	return nil
}

// check refuses what the API would, and what needs objects of the API.
func check(pod *corev1.Pod) error {
	errs := podspec.Validate(&pod.Spec, field.NewPath("spec"))
	for _, problem := range validation.IsDNS1123Subdomain(pod.Name) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), pod.Name, problem))
	}
	if len(pod.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "ephemeralContainers"), "cannot be set on a static pod"))
	}
	if what := needsAPI(pod); what != "" {
		errs = append(errs, field.Forbidden(field.NewPath("spec"), "can not reference "+what))
	}
	return errs.ToAggregate()
}

// needsAPI names the first sort of object that a pod refers to, empty for none.
func needsAPI(pod *corev1.Pod) string {
	if pod.Spec.ServiceAccountName != "" {
		return "serviceaccounts"
	}
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.ConfigMap != nil:
			return "configmaps"
		case v.Secret != nil:
			return "secrets"
		case v.PersistentVolumeClaim != nil, v.Ephemeral != nil:
			return "persistentvolumeclaims"
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.DownwardAPI == nil {
				return "objects in projected volumes"
			}
		}
	}
	for _, m := range podinfo.Members(pod) {
		for _, e := range m.Container.EnvFrom {
			if e.ConfigMapRef != nil || e.SecretRef != nil {
				return "configmaps or secrets"
			}
		}
		for _, e := range m.Container.Env {
			if e.ValueFrom != nil && (e.ValueFrom.ConfigMapKeyRef != nil || e.ValueFrom.SecretKeyRef != nil) {
				return "configmaps or secrets"
			}
		}
	}
	return ""
}

// stamped says when the pod was first seen; it is no part of its identity.
func stamped(pod *corev1.Pod, now time.Time) *corev1.Pod {
	pod.Annotations[podinfo.SeenAnnotation] = now.Format(time.RFC3339Nano)
	return pod
}
