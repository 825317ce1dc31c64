package stats

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Use of the disk, in bytes and in pieces.
type Use struct{ Bytes, Inodes int64 }

// OnDisk is what a pod keeps on the node's disk beside the layers of its containers.
type OnDisk struct {
	// Logs by container, EmptyDirs by volume. An emptyDir in memory is among them, and takes none of the disk.
	Logs, EmptyDirs map[string]Use
	memory          map[string]bool
}

// OnDisk walks through a pod's folders.
func (r *Reader) OnDisk(pod *corev1.Pod) (OnDisk, error) {
	d := OnDisk{Logs: map[string]Use{}, EmptyDirs: map[string]Use{}, memory: map[string]bool{}}
	logs := runtime.LogDirectory(r.Logs, pod)
	for _, m := range podinfo.Members(pod) {
		bytes, inodes, err := Folder(filepath.Join(logs, m.Container.Name))
		if err != nil {
			return d, err
		}
		d.Logs[m.Container.Name] = Use{bytes, inodes}
	}
	for _, v := range pod.Spec.Volumes {
		if v.EmptyDir == nil {
			continue
		}
		bytes, inodes, err := Folder(filepath.Join(r.Root, "pods", string(pod.UID), "volumes", "kubernetes.io~empty-dir", v.Name))
		if err != nil {
			return d, err
		}
		d.EmptyDirs[v.Name], d.memory[v.Name] = Use{bytes, inodes}, v.EmptyDir.Medium != corev1.StorageMediumDefault
	}
	return d, nil
}

// kept is a pod's use of the disk as it was at a time.
type kept struct {
	OnDisk
	at time.Time
}

// podDisks needs r.mu.
func (r *Reader) podDisks() map[types.UID]kept {
	now := map[types.UID]kept{}
	if r.Pods == nil || r.Walk < 0 {
		return now
	}
	for _, pod := range r.Pods() {
		k, known := r.disks[pod.UID]
		if !known || time.Since(k.at) >= r.Walk {
			d, err := r.OnDisk(pod)
			if err != nil {
				continue // it is told next time
			}
			k = kept{d, time.Now()}
		}
		now[pod.UID] = k
	}
	r.disks = now
	return now
}

// show adds it to a pod of the summary.
func (k kept) show(p *statsv1.PodStats) {
	var sum Use
	add := func(bytes, inodes int64) { sum.Bytes, sum.Inodes = sum.Bytes+bytes, sum.Inodes+inodes }
	for i := range p.Containers {
		c := &p.Containers[i]
		if c.Rootfs != nil {
			add(int64(*c.Rootfs.UsedBytes), int64(*c.Rootfs.InodesUsed))
		}
		if use, ok := k.Logs[c.Name]; ok {
			c.Logs = k.stats(use)
			add(use.Bytes, use.Inodes)
		}
	}
	for name, use := range k.EmptyDirs {
		p.VolumeStats = append(p.VolumeStats, statsv1.VolumeStats{Name: name, FsStats: *k.stats(use)})
		if !k.memory[name] {
			add(use.Bytes, use.Inodes)
		}
	}
	p.EphemeralStorage = k.stats(sum)
}

func (k kept) stats(use Use) *statsv1.FsStats {
	bytes, inodes := uint64(use.Bytes), uint64(use.Inodes)
	s := &statsv1.FsStats{UsedBytes: &bytes, InodesUsed: &inodes}
	s.Time.Time = k.at
	return s
}

// ImageMount is where the runtime keeps images, and how many bytes they take there.
func (r *Reader) ImageMount(ctx context.Context) (mount string, used uint64, err error) {
	info, err := r.Runtime.ImageFsInfo(ctx)
	if err != nil {
		return "", 0, err
	}
	for _, fs := range info.GetImageFilesystems() {
		if mount := fs.GetFsId().GetMountpoint(); mount != "" {
			return mount, fs.GetUsedBytes().GetValue(), nil
		}
	}
	return "", 0, errors.New("the runtime names no file system of images")
}

// ImageFs is the file system of images, of which images use what the runtime says.
func (r *Reader) ImageFs(ctx context.Context) (*statsv1.FsStats, error) {
	mount, used, err := r.ImageMount(ctx)
	if err != nil {
		return nil, err
	}
	disk, err := Disk(mount)
	if err != nil {
		return nil, err
	}
	disk.UsedBytes = &used
	return disk, nil
}
