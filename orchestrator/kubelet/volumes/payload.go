package volumes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// file of a payload.
type file struct {
	data []byte
	mode int32
	// owner when not nil is the user that may read it, besides root.
	owner *int64
}

// payload is the content of a volume made of API objects.
type payload struct {
	plugin  string
	files   map[string]file
	memory  bool // secrets never touch a disk
	refresh time.Time
}

func (p payload) prepare(dir string) error {
	if p.memory {
		return mountTmpfs(dir, 0)
	}
	return makeDir(dir, 0o777)
}

func (m *Manager) payload(ctx context.Context, pod *corev1.Pod, v *corev1.Volume) (payload, error) {
	switch {
	case v.ConfigMap != nil:
		files, err := m.configMap(ctx, pod, v.ConfigMap.Name, v.ConfigMap.Items, mode(v.ConfigMap.DefaultMode), v.ConfigMap.Optional)
		return payload{plugin: "configmap", files: files}, err
	case v.Secret != nil:
		files, err := m.secret(ctx, pod, v.Secret.SecretName, v.Secret.Items, mode(v.Secret.DefaultMode), v.Secret.Optional)
		return payload{plugin: "secret", files: files, memory: true}, err
	case v.DownwardAPI != nil:
		files, err := m.downward(pod, v.DownwardAPI.Items, mode(v.DownwardAPI.DefaultMode))
		return payload{plugin: "downward-api", files: files, memory: true}, err
	case v.Projected != nil:
		return m.projected(ctx, pod, v.Projected)
	}
	return payload{}, fmt.Errorf("no volume plugin matched")
}

func mode(m *int32) int32 {
	if m == nil {
		return 0o644
	}
	return *m
}

func (m *Manager) projected(ctx context.Context, pod *corev1.Pod, v *corev1.ProjectedVolumeSource) (payload, error) {
	p := payload{plugin: "projected", files: map[string]file{}, memory: true}
	var errs []error
	for _, s := range v.Sources {
		files, refresh, err := m.source(ctx, pod, s, mode(v.DefaultMode))
		if err != nil {
			errs = append(errs, err)
		}
		for name, f := range files {
			p.files[name] = f
		}
		if !refresh.IsZero() && (p.refresh.IsZero() || refresh.Before(p.refresh)) {
			p.refresh = refresh
		}
	}
	return p, errors.Join(errs...)
}

func (m *Manager) source(ctx context.Context, pod *corev1.Pod, s corev1.VolumeProjection, defaultMode int32) (map[string]file, time.Time, error) {
	switch {
	case s.ConfigMap != nil:
		files, err := m.configMap(ctx, pod, s.ConfigMap.Name, s.ConfigMap.Items, defaultMode, s.ConfigMap.Optional)
		return files, time.Time{}, err
	case s.Secret != nil:
		files, err := m.secret(ctx, pod, s.Secret.Name, s.Secret.Items, defaultMode, s.Secret.Optional)
		return files, time.Time{}, err
	case s.DownwardAPI != nil:
		files, err := m.downward(pod, s.DownwardAPI.Items, defaultMode)
		return files, time.Time{}, err
	case s.ServiceAccountToken != nil:
		return m.token(ctx, pod, s.ServiceAccountToken, defaultMode)
	}
	return nil, time.Time{}, fmt.Errorf("projected source is not supported by this kubelet")
}

// token is readable by the pod's one user, or by its fsGroup, and by nobody else when there is such a one.
func (m *Manager) token(ctx context.Context, pod *corev1.Pod, s *corev1.ServiceAccountTokenProjection, defaultMode int32) (map[string]file, time.Time, error) {
	seconds := int64(3600)
	if s.ExpirationSeconds != nil {
		seconds = *s.ExpirationSeconds
	}
	value, refresh, err := m.Sources.Token(ctx, pod, s.Audience, seconds)
	if err != nil {
		return nil, time.Time{}, err
	}
	f := file{data: []byte(value), mode: defaultMode, owner: commonUser(pod)}
	if f.owner != nil || fsGroup(pod) != nil {
		f.mode = 0o600
	}
	return map[string]file{s.Path: f}, refresh, nil
}

// commonUser is the user that all containers of a pod run as, nil when they differ or the image decides.
func commonUser(pod *corev1.Pod) *int64 {
	var user *int64
	for i, member := range podinfo.Members(pod) {
		var own *int64
		if sc := pod.Spec.SecurityContext; sc != nil {
			own = sc.RunAsUser
		}
		if sc := member.Container.SecurityContext; sc != nil && sc.RunAsUser != nil {
			own = sc.RunAsUser
		}
		if own == nil || (i > 0 && *own != *user) {
			return nil
		}
		user = own
	}
	return user
}

func (m *Manager) configMap(ctx context.Context, pod *corev1.Pod, name string, items []corev1.KeyToPath, defaultMode int32, optional *bool) (map[string]file, error) {
	object, err := m.Sources.ConfigMap(ctx, pod.Namespace, name)
	if err != nil {
		if apierrors.IsNotFound(err) && isTrue(optional) {
			return map[string]file{}, nil
		}
		return nil, err
	}
	data := map[string][]byte{}
	for key, value := range object.Data {
		data[key] = []byte(value)
	}
	for key, value := range object.BinaryData {
		data[key] = value
	}
	return choose(data, items, defaultMode, isTrue(optional), "references non-existent config key: %s")
}

func (m *Manager) secret(ctx context.Context, pod *corev1.Pod, name string, items []corev1.KeyToPath, defaultMode int32, optional *bool) (map[string]file, error) {
	object, err := m.Sources.Secret(ctx, pod.Namespace, name)
	if err != nil {
		if apierrors.IsNotFound(err) && isTrue(optional) {
			return map[string]file{}, nil
		}
		return nil, err
	}
	return choose(object.Data, items, defaultMode, isTrue(optional), "references non-existent secret key: %s")
}

// choose takes all keys, or the items named.
func choose(data map[string][]byte, items []corev1.KeyToPath, defaultMode int32, optional bool, missing string) (map[string]file, error) {
	files := map[string]file{}
	if len(items) == 0 {
		for key, value := range data {
			files[key] = file{data: value, mode: defaultMode}
		}
		return files, nil
	}
	for _, item := range items {
		value, ok := data[item.Key]
		if !ok {
			if optional {
				continue
			}
			return nil, fmt.Errorf(missing, item.Key)
		}
		f := file{data: value, mode: defaultMode}
		if item.Mode != nil {
			f.mode = *item.Mode
		}
		files[item.Path] = f
	}
	return files, nil
}

func (m *Manager) downward(pod *corev1.Pod, items []corev1.DownwardAPIVolumeFile, defaultMode int32) (map[string]file, error) {
	files, place := map[string]file{}, m.Place(pod)
	for _, item := range items {
		f := file{mode: defaultMode}
		if item.Mode != nil {
			f.mode = *item.Mode
		}
		var value string
		var err error
		switch {
		case item.FieldRef != nil:
			value, err = podinfo.Field(pod, place, item.FieldRef.FieldPath)
		case item.ResourceFieldRef != nil:
			value, err = podinfo.Resource(pod, place, item.ResourceFieldRef, "")
		}
		if err != nil {
			return nil, err
		}
		f.data = []byte(value)
		files[item.Path] = f
	}
	return files, nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func fsGroup(pod *corev1.Pod) *int64 {
	if pod.Spec.SecurityContext == nil {
		return nil
	}
	return pod.Spec.SecurityContext.FSGroup
}
