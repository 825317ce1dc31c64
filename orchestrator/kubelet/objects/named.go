package objects

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// named lists the ConfigMaps and Secrets that a pod's spec names.
func named(pod *corev1.Pod) map[id]bool {
	want := map[id]bool{}
	configMap := func(name string) { want[id{"configmap", pod.Namespace, name}] = true }
	secret := func(name string) { want[id{"secret", pod.Namespace, name}] = true }
	for _, ref := range pod.Spec.ImagePullSecrets {
		if ref.Name != "" {
			secret(ref.Name)
		}
	}
	for _, m := range podinfo.Members(pod) {
		for _, source := range m.Container.EnvFrom {
			if source.ConfigMapRef != nil {
				configMap(source.ConfigMapRef.Name)
			}
			if source.SecretRef != nil {
				secret(source.SecretRef.Name)
			}
		}
		for _, v := range m.Container.Env {
			if v.ValueFrom == nil {
				continue
			}
			if ref := v.ValueFrom.ConfigMapKeyRef; ref != nil {
				configMap(ref.Name)
			}
			if ref := v.ValueFrom.SecretKeyRef; ref != nil {
				secret(ref.Name)
			}
		}
	}
	for _, v := range pod.Spec.Volumes {
		if v.ConfigMap != nil {
			configMap(v.ConfigMap.Name)
		}
		if v.Secret != nil {
			secret(v.Secret.SecretName)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				configMap(source.ConfigMap.Name)
			}
			if source.Secret != nil {
				secret(source.Secret.Name)
			}
		}
	}
	return want
}
