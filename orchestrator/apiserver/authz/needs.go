package authz

import (
	corev1 "k8s.io/api/core/v1"
)

// named: anyName stands for every name.
func named(have, want string) bool { return have == want || want == anyName }

func usesSecret(pod *corev1.Pod, name string) bool {
	for _, ref := range pod.Spec.ImagePullSecrets {
		if named(ref.Name, name) {
			return true
		}
	}
	for i := range pod.Spec.Volumes {
		if secretOf(&pod.Spec.Volumes[i], name) {
			return true
		}
	}
	return anyContainer(pod, func(from []corev1.EnvFromSource, env []corev1.EnvVar) bool {
		for _, f := range from {
			if f.SecretRef != nil && named(f.SecretRef.Name, name) {
				return true
			}
		}
		for _, e := range env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && named(e.ValueFrom.SecretKeyRef.Name, name) {
				return true
			}
		}
		return false
	})
}

// secretOf knows every volume source that names a secret of the pod's namespace.
func secretOf(v *corev1.Volume, name string) bool {
	local := func(ref *corev1.LocalObjectReference) bool { return ref != nil && named(ref.Name, name) }
	switch {
	case v.Secret != nil:
		return named(v.Secret.SecretName, name)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil && named(s.Secret.Name, name) {
				return true
			}
		}
	case v.CSI != nil:
		return local(v.CSI.NodePublishSecretRef)
	case v.FlexVolume != nil:
		return local(v.FlexVolume.SecretRef)
	case v.ISCSI != nil:
		return local(v.ISCSI.SecretRef)
	case v.RBD != nil:
		return local(v.RBD.SecretRef)
	case v.CephFS != nil:
		return local(v.CephFS.SecretRef)
	case v.Cinder != nil:
		return local(v.Cinder.SecretRef)
	case v.ScaleIO != nil:
		return local(v.ScaleIO.SecretRef)
	case v.StorageOS != nil:
		return local(v.StorageOS.SecretRef)
	case v.AzureFile != nil:
		return named(v.AzureFile.SecretName, name)
	}
	return false
}

func usesConfigMap(pod *corev1.Pod, name string) bool {
	for _, v := range pod.Spec.Volumes {
		if v.ConfigMap != nil && named(v.ConfigMap.Name, name) {
			return true
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ConfigMap != nil && named(s.ConfigMap.Name, name) {
				return true
			}
		}
	}
	return anyContainer(pod, func(from []corev1.EnvFromSource, env []corev1.EnvVar) bool {
		for _, f := range from {
			if f.ConfigMapRef != nil && named(f.ConfigMapRef.Name, name) {
				return true
			}
		}
		for _, e := range env {
			if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil && named(e.ValueFrom.ConfigMapKeyRef.Name, name) {
				return true
			}
		}
		return false
	})
}

func anyContainer(pod *corev1.Pod, match func([]corev1.EnvFromSource, []corev1.EnvVar) bool) bool {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if match(list[i].EnvFrom, list[i].Env) {
				return true
			}
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if c := &pod.Spec.EphemeralContainers[i]; match(c.EnvFrom, c.Env) {
			return true
		}
	}
	return false
}

// ClaimName of a volume: the named claim, or the one made for an ephemeral volume, which is called POD-VOLUME; empty for other volumes.
func ClaimName(pod *corev1.Pod, v *corev1.Volume) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.Ephemeral != nil:
		return pod.Name + "-" + v.Name
	}
	return ""
}

func podClaimsVolume(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.Volumes {
		if ClaimName(pod, &pod.Spec.Volumes[i]) == name {
			return true
		}
	}
	return false
}

// volumeUsesSecret knows the secrets of a PersistentVolume that the kubelet needs; those of the CSI controller are none of its business.
func volumeUsesSecret(pv *corev1.PersistentVolume, namespace, name string) bool {
	for _, ref := range volumeSecrets(pv) {
		if ref == nil || ref.Name != name {
			continue
		}
		in := ref.Namespace
		if in == "" && pv.Spec.ClaimRef != nil {
			in = pv.Spec.ClaimRef.Namespace
		}
		if in == namespace {
			return true
		}
	}
	return false
}

func volumeSecrets(pv *corev1.PersistentVolume) []*corev1.SecretReference {
	switch s := pv.Spec.PersistentVolumeSource; {
	case s.CSI != nil:
		return []*corev1.SecretReference{s.CSI.NodePublishSecretRef, s.CSI.NodeStageSecretRef, s.CSI.NodeExpandSecretRef}
	case s.AzureFile != nil:
		ref := &corev1.SecretReference{Name: s.AzureFile.SecretName}
		if s.AzureFile.SecretNamespace != nil {
			ref.Namespace = *s.AzureFile.SecretNamespace
		}
		return []*corev1.SecretReference{ref}
	case s.CephFS != nil:
		return []*corev1.SecretReference{s.CephFS.SecretRef}
	case s.Cinder != nil:
		return []*corev1.SecretReference{s.Cinder.SecretRef}
	case s.FlexVolume != nil:
		return []*corev1.SecretReference{s.FlexVolume.SecretRef}
	case s.RBD != nil:
		return []*corev1.SecretReference{s.RBD.SecretRef}
	case s.ScaleIO != nil:
		return []*corev1.SecretReference{s.ScaleIO.SecretRef}
	case s.ISCSI != nil:
		return []*corev1.SecretReference{s.ISCSI.SecretRef}
	case s.StorageOS != nil && s.StorageOS.SecretRef != nil:
		return []*corev1.SecretReference{{Namespace: s.StorageOS.SecretRef.Namespace, Name: s.StorageOS.SecretRef.Name}}
	}
	return nil
}

func podClaims(pod *corev1.Pod, name string) bool {
	for _, c := range pod.Spec.ResourceClaims {
		if c.ResourceClaimName != nil && *c.ResourceClaimName == name {
			return true
		}
	}
	for _, s := range pod.Status.ResourceClaimStatuses {
		if s.ResourceClaimName != nil && *s.ResourceClaimName == name {
			return true
		}
	}
	return false
}
