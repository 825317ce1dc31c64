package authz

import (
	corev1 "k8s.io/api/core/v1"
)

// Refers names the kind of API object that a pod refers to; empty for none. Mirror pods may refer to nothing, since their kubelet made them up.
func Refers(pod *corev1.Pod) string {
	switch {
	case pod.Spec.ServiceAccountName != "":
		return "serviceaccounts"
	case RefersToSecret(pod):
		return "secrets"
	case refersToConfigMap(pod):
		return "configmaps"
	case len(pod.Spec.ResourceClaims) > 0:
		return "resourceclaims"
	}
	for i := range pod.Spec.Volumes {
		if what := volumeRefers(&pod.Spec.Volumes[i]); what != "" {
			return what
		}
	}
	return ""
}

// anyName matches every reference.
const anyName = ""

// RefersToSecret is true when any part of the pod names a secret.
func RefersToSecret(pod *corev1.Pod) bool { return usesSecret(pod, anyName) }

func refersToConfigMap(pod *corev1.Pod) bool { return usesConfigMap(pod, anyName) }

func volumeRefers(v *corev1.Volume) string {
	switch {
	case v.CSI != nil:
		return "csidrivers (via CSI volumes)"
	case v.Glusterfs != nil:
		return "endpoints (via glusterFS volumes)"
	case v.PersistentVolumeClaim != nil:
		return "persistentvolumeclaims"
	case v.Ephemeral != nil:
		return "persistentvolumeclaims (via ephemeral volumes)"
	case v.Projected == nil:
		return ""
	}
	for _, s := range v.Projected.Sources {
		switch {
		case s.ServiceAccountToken != nil:
			return "serviceaccounts (via projected volumes)"
		case s.ClusterTrustBundle != nil:
			return "clustertrustbundles"
		case s.PodCertificate != nil:
			return "podcertificates"
		}
	}
	return ""
}
