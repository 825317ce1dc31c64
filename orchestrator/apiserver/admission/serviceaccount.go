package admission

import (
	"context"
	"path"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// serviceAccount gives every pod a ServiceAccount, its token as a projected volume, and its image pull secrets.
type serviceAccount struct {
	reader objects.Reader
}

const (
	defaultAccount = "default"
	tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
	// tokenSeconds is an hour and seven seconds: stock's mark of a token that was asked for by admission.
	tokenSeconds      = 3607
	rootCA            = "kube-root-ca.crt"
	tokenVolumePrefix = "kube-api-access-"
	// A pod waits about a second in all for the default account.
	defaultAttempts = 10
	defaultPause    = 100 * time.Millisecond
)

var serviceAccounts = schema.GroupResource{Resource: "serviceaccounts"}

func (*serviceAccount) Name() string { return "ServiceAccount" }

func (*serviceAccount) Handles(op Operation) bool { return op == Create || op == Update }

func (s *serviceAccount) Admit(ctx context.Context, a *Attributes) error {
	pod, ok := a.newPod()
	if !ok || mirror(pod) {
		return nil
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = defaultAccount
	}
	pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
	account, err := s.account(ctx, a, pod.Spec.ServiceAccountName)
	if err != nil {
		return err
	}
	if mountsToken(account, pod) {
		mountToken(pod)
	}
	if len(pod.Spec.ImagePullSecrets) == 0 {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, account.ImagePullSecrets...)
	}
	return nil
}

func (s *serviceAccount) Validate(ctx context.Context, a *Attributes) error {
	if pod, ok := a.Object.(*corev1.Pod); ok && a.Operation == Update && a.isCore("pods", "ephemeralcontainers") {
		return s.mountable(ctx, a, pod, ephemeralSecrets)
	}
	pod, ok := a.newPod()
	if !ok {
		return nil
	}
	if mirror(pod) {
		return validMirror(a, pod)
	}
	return s.mountable(ctx, a, pod, podSecrets)
}

func mirror(pod *corev1.Pod) bool {
	_, ok := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return ok
}

func validMirror(a *Attributes, pod *corev1.Pod) error {
	if pod.Spec.ServiceAccountName != "" {
		return refuse(a, "a mirror pod may not reference service accounts")
	}
	if authz.RefersToSecret(pod) {
		return refuse(a, "a mirror pod may not reference secrets")
	}
	for _, v := range pod.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ServiceAccountToken != nil {
				return refuse(a, "a mirror pod may not use ServiceAccountToken volume projections")
			}
		}
	}
	return nil
}

// account waits a little for the default account of a new namespace, which its controller is about to make.
func (s *serviceAccount) account(ctx context.Context, a *Attributes, name string) (*corev1.ServiceAccount, error) {
	obj, err := freshly(ctx, s.reader, serviceAccounts, a.Namespace, name)
	for attempt := 1; apierrors.IsNotFound(err) && name == defaultAccount && attempt < defaultAttempts; attempt++ {
		timer := time.NewTimer(defaultPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
		obj, err = freshly(ctx, s.reader, serviceAccounts, a.Namespace, name)
	}
	if apierrors.IsNotFound(err) {
		return nil, refuse(a, "error looking up service account %s/%s: serviceaccount %q not found", a.Namespace, name, name)
	}
	if err != nil {
		return nil, err
	}
	account, ok := obj.(*corev1.ServiceAccount)
	if !ok {
		return nil, apierrors.NewInternalError(errWrongType)
	}
	return account, nil
}

func mountsToken(account *corev1.ServiceAccount, pod *corev1.Pod) bool {
	if pod.Spec.AutomountServiceAccountToken != nil {
		return *pod.Spec.AutomountServiceAccountToken
	}
	return account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken
}

// mountToken adds the volume, and its mount in every container that has nothing at that path.
func mountToken(pod *corev1.Pod) {
	name, exists := tokenVolumeName(pod)
	mount := corev1.VolumeMount{Name: name, ReadOnly: true, MountPath: tokenMountPath}
	needed := false
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if !hasMount(list[i].VolumeMounts) {
				list[i].VolumeMounts = append(list[i].VolumeMounts, mount)
				needed = true
			}
		}
	}
	if needed && !exists {
		pod.Spec.Volumes = append(pod.Spec.Volumes, tokenVolume(name))
	}
}

// tokenVolumeName is that of the volume a pod brings along (a copy of another pod does), or a new one.
func tokenVolumeName(pod *corev1.Pod) (name string, exists bool) {
	for _, v := range pod.Spec.Volumes {
		if strings.HasPrefix(v.Name, tokenVolumePrefix) {
			return v.Name, true
		}
	}
	return tokenVolumePrefix + rand.String(5), false
}

func hasMount(mounts []corev1.VolumeMount) bool {
	for _, m := range mounts {
		if path.Clean(m.MountPath) == tokenMountPath {
			return true
		}
	}
	return false
}

func tokenVolume(name string) corev1.Volume {
	seconds, mode := int64(tokenSeconds), corev1.ProjectedVolumeSourceDefaultMode
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		DefaultMode: &mode,
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: &seconds, Path: "token"}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: rootCA}, Items: []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
			}}}},
		},
	}}}
}
