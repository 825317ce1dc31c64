package core

import (
	"context"
	"crypto/tls"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// podWarnings are given once, to who makes the pod: most of it is fixed from then on.
func podWarnings(_ context.Context, p, old *corev1.Pod) []string {
	if old != nil {
		return nil
	}
	return podspec.PodWarnings(p)
}

// podStatusWarnings are about new addresses in an unusual form.
func podStatusWarnings(_ context.Context, p, old *corev1.Pod) []string {
	var all []string
	for i, ip := range p.Status.PodIPs {
		if !slices.Contains(old.Status.PodIPs, ip) {
			all = append(all, validation.GetWarningsForIP(field.NewPath("status", "podIPs").Index(i).Child("ip"), ip.IP)...)
		}
	}
	for i, ip := range p.Status.HostIPs {
		if !slices.Contains(old.Status.HostIPs, ip) {
			all = append(all, validation.GetWarningsForIP(field.NewPath("status", "hostIPs").Index(i).Child("ip"), ip.IP)...)
		}
	}
	return all
}

func endpointsWarnings(_ context.Context, e, _ *corev1.Endpoints) []string {
	var all []string
	for i, s := range e.Subsets {
		path := field.NewPath("subsets").Index(i)
		for j, a := range s.Addresses {
			all = append(all, validation.GetWarningsForIP(path.Child("addresses").Index(j).Child("ip"), a.IP)...)
		}
		for j, a := range s.NotReadyAddresses {
			all = append(all, validation.GetWarningsForIP(path.Child("notReadyAddresses").Index(j).Child("ip"), a.IP)...)
		}
	}
	return all
}

// secretWarnings: a pair that no server can use is kept as it is.
func secretWarnings(_ context.Context, s, _ *corev1.Secret) []string {
	if s.Type != corev1.SecretTypeTLS {
		return nil
	}
	if _, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey]); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// mountable is the annotation by which an account once limited what its pods mount.
const mountable = "kubernetes.io/enforce-mountable-secrets"

func accountWarnings(_ context.Context, a, old *corev1.ServiceAccount) []string {
	_, set := a.Annotations[mountable]
	if !set || old != nil && old.Annotations[mountable] == a.Annotations[mountable] {
		return nil
	}
	return []string{"metadata.annotations[" + mountable + "]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"}
}

func claimWarnings(_ context.Context, c, _ *corev1.PersistentVolumeClaim) []string {
	var all []string
	if _, set := c.Annotations[corev1.BetaStorageClassAnnotation]; set {
		all = append(all, field.NewPath("metadata", "annotations").Key(corev1.BetaStorageClassAnnotation).String()+`: deprecated since v1.8; use "storageClassName" attribute instead`)
	}
	return append(all, podspec.FractionWarning(c.Spec.Resources.Requests, corev1.ResourceStorage, field.NewPath("spec", "resources", "requests"))...)
}

func volumeWarnings(_ context.Context, v, _ *corev1.PersistentVolume) []string {
	path := field.NewPath("spec")
	var all []string
	if v.Spec.NodeAffinity != nil && v.Spec.NodeAffinity.Required != nil {
		for i := range v.Spec.NodeAffinity.Required.NodeSelectorTerms {
			all = append(all, podspec.NodeTermWarnings(&v.Spec.NodeAffinity.Required.NodeSelectorTerms[i], path.Child("nodeAffinity", "required", "nodeSelectorTerms").Index(i))...)
		}
	}
	if v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRecycle {
		all = append(all, path.Child("persistentVolumeReclaimPolicy").String()+
			": The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.")
	}
	if v.Spec.Glusterfs != nil {
		all = append(all, path.Child("glusterfs").String()+": deprecated in v1.25, non-functional in v1.26+")
	}
	return all
}
