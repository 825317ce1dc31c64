package admission

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// enforceMountable is the annotation of a ServiceAccount that holds its pods to the secrets it lists.
const enforceMountable = "kubernetes.io/enforce-mountable-secrets"

// secretUse is one reference to a secret, and the start of the sentence that refuses it.
type secretUse struct{ secret, refusal string }

// mountable refuses secrets that the pod's account does not list, if the account is strict.
func (s *serviceAccount) mountable(ctx context.Context, a *Attributes, pod *corev1.Pod, uses func(*corev1.Pod) []secretUse) error {
	account, err := s.account(ctx, a, pod.Spec.ServiceAccountName)
	if err != nil {
		return err
	}
	if strict, err := strconv.ParseBool(account.Annotations[enforceMountable]); err != nil || !strict {
		return nil
	}
	for _, use := range uses(pod) {
		if !slices.ContainsFunc(account.Secrets, func(ref corev1.ObjectReference) bool { return ref.Name == use.secret }) {
			return refuse(a, "%s is not allowed because service account %s does not reference that secret", use.refusal, account.Name)
		}
	}
	for i, ref := range pod.Spec.ImagePullSecrets {
		if a.Operation == Create && !slices.Contains(account.ImagePullSecrets, ref) {
			return refuse(a, "imagePullSecrets[%d].name=%q is not allowed because service account %s does not reference that imagePullSecret", i, ref.Name, account.Name)
		}
	}
	return nil
}

func podSecrets(pod *corev1.Pod) []secretUse {
	var uses []secretUse
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil {
			uses = append(uses, secretUse{v.Secret.SecretName, fmt.Sprintf("volume with secret.secretName=%q", v.Secret.SecretName)})
		}
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		uses = append(uses, environmentSecrets("init container "+c.Name, c.Env, c.EnvFrom)...)
	}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		uses = append(uses, environmentSecrets("container "+c.Name, c.Env, c.EnvFrom)...)
	}
	return uses
}

func ephemeralSecrets(pod *corev1.Pod) []secretUse {
	var uses []secretUse
	for i := range pod.Spec.EphemeralContainers {
		c := &pod.Spec.EphemeralContainers[i]
		uses = append(uses, environmentSecrets("ephemeral container "+c.Name, c.Env, c.EnvFrom)...)
	}
	return uses
}

func environmentSecrets(container string, env []corev1.EnvVar, from []corev1.EnvFromSource) []secretUse {
	var uses []secretUse
	for _, e := range env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			name := e.ValueFrom.SecretKeyRef.Name
			uses = append(uses, secretUse{name, fmt.Sprintf("%s with envVar %s referencing secret.secretName=%q", container, e.Name, name)})
		}
	}
	for _, f := range from {
		if f.SecretRef != nil {
			uses = append(uses, secretUse{f.SecretRef.Name, fmt.Sprintf("%s with envFrom referencing secret.secretName=%q", container, f.SecretRef.Name)})
		}
	}
	return uses
}
