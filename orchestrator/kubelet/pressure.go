package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/eviction"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/rotation"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/stats"
)

// joinPressure connects what keeps the node from running full: eviction, the collector of images and the rotation of logs.
func (j *joiner) joinPressure() error {
	s := j.Settings
	thresholds, err := eviction.Parse(s.EvictionHard, s.EvictionSoft, s.EvictionSoftGracePeriod, s.EvictionMinimumReclaim)
	if err != nil {
		return err
	}
	size, err := resource.ParseQuantity(s.ContainerLogMaxSize)
	if err != nil {
		return fmt.Errorf("containerLogMaxSize: %w", err)
	}
	if *s.ContainerLogMaxFiles < 2 {
		return fmt.Errorf("containerLogMaxFiles is %d, and cannot be less than 2", *s.ContainerLogMaxFiles)
	}
	j.collector = &images.Collector{
		Client: j.runtime, Mounted: j.mountedImages, High: *s.ImageGCHighThresholdPercent, Low: *s.ImageGCLowThresholdPercent,
		MinAge: s.ImageMinimumGCAge.Duration, MaxAge: s.ImageMaximumGCAge.Duration, Disk: j.imageDisk, Event: j.nodeEvent, Now: time.Now, Logger: j.Logger,
	}
	j.evictions = eviction.New(eviction.Config{
		Thresholds: thresholds, Transition: s.EvictionPressureTransitionPeriod.Duration, MaxPodGrace: int64(s.EvictionMaxPodGracePeriod),
		Observe: j.observe, Usage: func(ctx context.Context) ([]eviction.Usage, error) {
			return j.usage(ctx, func(*corev1.Pod) bool { return true })
		},
		Limited: func(ctx context.Context) ([]eviction.Usage, error) { return j.usage(ctx, eviction.Limited) },
		Reclaim: j.collector.Everything, Evict: j.workers.Evict, Changed: func() { j.reporter.Soon() }, Event: j.nodeEvent, Now: time.Now, Logger: j.Logger,
	})
	j.rotator = &rotation.Rotator{
		MaxSize: size.Value(), MaxFiles: int(*s.ContainerLogMaxFiles), Workers: int(*s.ContainerLogMaxWorkers), Every: s.ContainerLogMonitorInterval.Duration, Running: j.workers.Logs,
		Reopen: j.runtime.ReopenContainerLog, Now: time.Now, Logger: j.Logger,
	}
	return nil
}

// nodeEvent is about this node; its UID in events is its name, as stock has it.
func (j *joiner) nodeEvent(kind, reason, message string) {
	j.recorder.events.Event(&corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: j.NodeName, UID: "", Namespace: ""}, kind, reason, message)
}

// mountedImages are those that pods of this node have as volumes.
func (j *joiner) mountedImages() []string {
	var names []string
	for _, pod := range j.workers.Pods() {
		for _, v := range pod.Spec.Volumes {
			if v.Image == nil {
				continue
			}
			if name, err := images.WithTag(v.Image.Reference); err == nil { // else it was never pulled
				names = append(names, name)
			}
		}
	}
	return names
}

func (j *joiner) imageDisk(ctx context.Context) (capacity, available int64, err error) {
	disk, err := j.measures.ImageFs(ctx)
	if err != nil {
		return 0, 0, err
	}
	return int64(*disk.CapacityBytes), int64(*disk.AvailableBytes), nil
}

// observe reads every signal. One that cannot be read is left out: no pod dies of a file that is not there.
func (j *joiner) observe(ctx context.Context) (eviction.Observations, error) {
	seen := eviction.Observations{}
	if used, err := j.tree.WorkingSet(j.tree.Base); err == nil {
		seen[eviction.MemoryAvailable] = eviction.Observation{Available: max(j.machine.Memory-used, 0), Capacity: j.machine.Memory}
	} else if total, available, err := stats.Memory(); err == nil { // the root group of v2 counts nothing
		seen[eviction.MemoryAvailable] = eviction.Observation{Available: int64(available), Capacity: int64(total)}
	}
	if disk, err := stats.Disk(j.Root); err == nil {
		disks(seen, eviction.NodeFsAvailable, eviction.NodeFsInodesFree, disk)
	}
	if disk, err := j.measures.ImageFs(ctx); err == nil {
		disks(seen, eviction.ImageFsAvailable, eviction.ImageFsInodesFree, disk)
	}
	if limit, running, err := stats.Processes(); err == nil {
		seen[eviction.PIDAvailable] = eviction.Observation{Available: limit - running, Capacity: limit}
	}
	return seen, ctx.Err()
}

func disks(seen eviction.Observations, space, inodes eviction.Signal, disk *statsv1.FsStats) {
	seen[space] = eviction.Observation{Available: int64(*disk.AvailableBytes), Capacity: int64(*disk.CapacityBytes)}
	if *disk.Inodes > 0 { // some file systems have no fixed number
		seen[inodes] = eviction.Observation{Available: int64(*disk.InodesFree), Capacity: int64(*disk.Inodes)}
	}
}

// usage measures the pods that are asked for.
func (j *joiner) usage(ctx context.Context, wanted func(*corev1.Pod) bool) ([]eviction.Usage, error) {
	var pods []*corev1.Pod
	for _, pod := range j.workers.Admitted("") {
		if wanted(pod) {
			pods = append(pods, pod)
		}
	}
	if len(pods) == 0 {
		return nil, nil
	}
	summary, err := j.measures.Summary(ctx)
	if err != nil {
		return nil, err
	}
	measured := map[string]*statsv1.PodStats{}
	for i := range summary.Pods {
		measured[summary.Pods[i].PodRef.UID] = &summary.Pods[i]
	}
	var all []eviction.Usage
	for _, pod := range pods {
		u := eviction.Usage{Pod: pod, EmptyDirs: map[string]int64{}}
		if m := measured[string(pod.UID)]; m != nil {
			memory(&u, m)
		}
		if err := j.onDisk(&u); err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

func memory(u *eviction.Usage, m *statsv1.PodStats) {
	if m.Memory != nil && m.Memory.WorkingSetBytes != nil {
		u.Memory = int64(*m.Memory.WorkingSetBytes)
	}
	if m.ProcessStats != nil && m.ProcessStats.ProcessCount != nil {
		u.PIDs = int64(*m.ProcessStats.ProcessCount)
	}
	for _, c := range m.Containers {
		one := eviction.ContainerUsage{Name: c.Name}
		if c.Memory != nil && c.Memory.WorkingSetBytes != nil {
			one.Memory = int64(*c.Memory.WorkingSetBytes)
		}
		if c.Rootfs != nil && c.Rootfs.UsedBytes != nil {
			one.Disk = int64(*c.Rootfs.UsedBytes)
			u.Inodes += int64(*c.Rootfs.InodesUsed)
		}
		u.Disk += one.Disk
		u.Containers = append(u.Containers, one)
	}
}

// onDisk adds logs and emptyDirs, as they are now.
func (j *joiner) onDisk(u *eviction.Usage) error {
	disk, err := j.measures.OnDisk(u.Pod)
	if err != nil {
		return err
	}
	for i := range u.Containers {
		use := disk.Logs[u.Containers[i].Name]
		u.Containers[i].Disk += use.Bytes
		u.Disk, u.Inodes = u.Disk+use.Bytes, u.Inodes+use.Inodes
	}
	for _, v := range u.Pod.Spec.Volumes {
		if v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumDefault {
			continue // the kernel keeps what is in memory within its limit
		}
		use := disk.EmptyDirs[v.Name]
		u.EmptyDirs[v.Name] = use.Bytes
		u.Disk, u.Inodes = u.Disk+use.Bytes, u.Inodes+use.Inodes
	}
	return nil
}
