package node

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const maxImageNames = 5

// images lists the largest ones, which the scheduler prefers nodes by.
func (r *Reporter) images(ctx context.Context) []corev1.ContainerImage {
	list, err := r.cfg.Runtime.ListImages(ctx, nil)
	if err != nil {
		return nil
	}
	var all []corev1.ContainerImage
	for _, i := range list {
		names := append(slices.Clone(i.RepoDigests), i.RepoTags...)
		if len(names) > 0 {
			all = append(all, corev1.ContainerImage{Names: names[:min(len(names), maxImageNames)], SizeBytes: int64(i.Size)})
		}
	}
	slices.SortStableFunc(all, func(a, b corev1.ContainerImage) int {
		if a.SizeBytes != b.SizeBytes {
			return int(b.SizeBytes - a.SizeBytes)
		}
		return strings.Compare(a.Names[0], b.Names[0])
	})
	return r.bounded(all)
}

func (r *Reporter) bounded(all []corev1.ContainerImage) []corev1.ContainerImage {
	if r.cfg.MaxImages < 0 {
		return all
	}
	return all[:min(len(all), int(r.cfg.MaxImages))]
}
