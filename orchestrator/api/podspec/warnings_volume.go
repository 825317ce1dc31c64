package podspec

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// endedSources are the volumes whose drivers have left Kubernetes: the field, and since when.
var endedSources = []struct {
	set        func(*corev1.VolumeSource) bool
	name, text string
}{
	{func(v *corev1.VolumeSource) bool { return v.GitRepo != nil }, "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
	{func(v *corev1.VolumeSource) bool { return v.PhotonPersistentDisk != nil }, "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
	{func(v *corev1.VolumeSource) bool { return v.ScaleIO != nil }, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
	{func(v *corev1.VolumeSource) bool { return v.StorageOS != nil }, "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
	{func(v *corev1.VolumeSource) bool { return v.Flocker != nil }, "flocker", "deprecated in v1.22, non-functional in v1.25+"},
	{func(v *corev1.VolumeSource) bool { return v.Quobyte != nil }, "quobyte", "deprecated in v1.22, non-functional in v1.25+"},
	{func(v *corev1.VolumeSource) bool { return v.Glusterfs != nil }, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
	{func(v *corev1.VolumeSource) bool { return v.CephFS != nil }, "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
	{func(v *corev1.VolumeSource) bool { return v.RBD != nil }, "rbd", "deprecated in v1.28, non-functional in v1.31+"},
}

func volumeWarnings(v *corev1.Volume, path *field.Path) []string {
	var all []string
	for _, ended := range endedSources {
		if ended.set(&v.VolumeSource) {
			all = append(all, path.Child(ended.name).String()+": "+ended.text)
		}
	}
	if v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
		all = append(all, FractionWarning(v.Ephemeral.VolumeClaimTemplate.Spec.Resources.Requests, corev1.ResourceStorage,
			path.Child("ephemeral", "volumeClaimTemplate", "spec", "resources", "requests"))...)
	}
	switch {
	case v.ConfigMap != nil:
		all = append(all, overlaps(fmt.Sprintf("volume %q (ConfigMap %q)", v.Name, v.ConfigMap.Name), itemPaths(v.ConfigMap.Items, ""))...)
	case v.Secret != nil:
		all = append(all, overlaps(fmt.Sprintf("volume %q (Secret %q)", v.Name, v.Secret.SecretName), itemPaths(v.Secret.Items, ""))...)
	case v.DownwardAPI != nil:
		all = append(all, overlaps(fmt.Sprintf("volume %q (DownwardAPI)", v.Name), fieldPaths(v.DownwardAPI.Items, ""))...)
	case v.Projected != nil:
		of := fmt.Sprintf("volume %q (Projected)", v.Name)
		paths, some := projectedPaths(v.Projected.Sources)
		if !some {
			all = append(all, of+" has no sources provided")
		}
		all = append(all, overlaps(of, paths)...)
	}
	return all
}

// written is a file that a volume has, and the source that it is of.
type written struct{ path, source string }

func (w written) String() string {
	if w.source == "" {
		return fmt.Sprintf("%q", w.path)
	}
	return fmt.Sprintf("%q (%s)", w.path, w.source)
}

// overlaps are files of one path, or within each other's.
func overlaps(volume string, files []written) []string {
	var all []string
	for i, now := range files {
		for _, before := range files[:i] {
			if now.path == before.path || strings.HasPrefix(now.path, before.path+"/") || strings.HasPrefix(before.path, now.path+"/") {
				all = append(all, fmt.Sprintf("%s: overlapping paths: %s with %s", volume, now, before))
			}
		}
	}
	return all
}

// projectedPaths are the files of all sources; some: there is any source.
func projectedPaths(sources []corev1.VolumeProjection) (files []written, some bool) {
	for _, s := range sources {
		some = some || s != corev1.VolumeProjection{}
		switch {
		case s.ConfigMap != nil:
			files = append(files, itemPaths(s.ConfigMap.Items, fmt.Sprintf("ConfigMap %q", s.ConfigMap.Name))...)
		case s.Secret != nil:
			files = append(files, itemPaths(s.Secret.Items, fmt.Sprintf("Secret %q", s.Secret.Name))...)
		case s.DownwardAPI != nil:
			files = append(files, fieldPaths(s.DownwardAPI.Items, "DownwardAPI")...)
		case s.ServiceAccountToken != nil:
			files = append(files, written{s.ServiceAccountToken.Path, "ServiceAccountToken"})
		case s.ClusterTrustBundle != nil:
			files = append(files, written{s.ClusterTrustBundle.Path, "ClusterTrustBundle"})
		}
	}
	return files, some
}

func itemPaths(items []corev1.KeyToPath, source string) []written {
	var files []written
	for _, item := range items {
		files = append(files, written{item.Path, source})
	}
	return files
}

func fieldPaths(items []corev1.DownwardAPIVolumeFile, source string) []written {
	var files []written
	for _, item := range items {
		files = append(files, written{item.Path, source})
	}
	return files
}
