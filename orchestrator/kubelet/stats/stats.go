// Package stats measures what the node, its pods and their containers use, when somebody asks.
//
// It reads CRI statistics, /proc and the pods' folders, at most once a second (the folders once in volumeStatsAggPeriod), and has no loop of its own. The server
// serves it as /stats/summary, /metrics/resource and /metrics/cadvisor; eviction looks at it for what is short and who takes it.
package stats

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// Runtime is the container runtime, as far as it is asked.
type Runtime interface {
	ListPodSandboxStats(ctx context.Context, filter *runtimeapi.PodSandboxStatsFilter) ([]*runtimeapi.PodSandboxStats, error)
	ListContainers(ctx context.Context, filter *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error)
	ImageFsInfo(ctx context.Context) (*runtimeapi.ImageFsInfoResponse, error)
}

// Reader measures.
type Reader struct {
	Node    string
	Root    string // the kubelet's folder, whose file system is the node's
	Logs    string // the folder of the pods' logs
	Runtime Runtime
	Began   time.Time
	// Walk is how old the use of the pods' folders may be in a summary; negative: it is not in there.
	Walk time.Duration
	// Pods of this node, whose folders are measured.
	Pods func() []*corev1.Pod

	mu    sync.Mutex
	last  *measured
	disks map[types.UID]kept
}

// measured is what was found at one time: the summary, and what it was made from.
type measured struct {
	summary    *statsv1.Summary
	pods       []*runtimeapi.PodSandboxStats
	containers map[string]*runtimeapi.Container
	at         time.Time
}

const fresh = time.Second

// Summary of everything.
func (r *Reader) Summary(ctx context.Context) (*statsv1.Summary, error) {
	m, err := r.measure(ctx)
	if err != nil {
		return nil, err
	}
	return m.summary, nil
}

func (r *Reader) measure(ctx context.Context) (*measured, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && time.Since(r.last.at) < fresh {
		return r.last, nil
	}
	m := &measured{summary: &statsv1.Summary{Pods: []statsv1.PodStats{}}, containers: map[string]*runtimeapi.Container{}}
	var err error
	if m.pods, err = r.Runtime.ListPodSandboxStats(ctx, nil); err != nil {
		return nil, fmt.Errorf("statistics of the pods: %w", err)
	}
	listed, err := r.Runtime.ListContainers(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	for _, c := range listed {
		m.containers[c.Id] = c
	}
	if m.summary.Node, err = r.node(ctx); err != nil {
		return nil, err
	}
	disks := r.podDisks()
	for _, p := range m.pods {
		one := pod(p, m.containers)
		if disk, ok := disks[types.UID(one.PodRef.UID)]; ok {
			disk.show(&one)
		}
		m.summary.Pods = append(m.summary.Pods, one)
	}
	m.at = time.Now()
	r.last = m
	return m, nil
}

func pod(p *runtimeapi.PodSandboxStats, listed map[string]*runtimeapi.Container) statsv1.PodStats {
	meta, linux := p.GetAttributes().GetMetadata(), p.GetLinux()
	out := statsv1.PodStats{
		PodRef: statsv1.PodReference{Name: meta.GetName(), Namespace: meta.GetNamespace(), UID: meta.GetUid()},
		CPU:    cpu(linux.GetCpu()), Memory: memory(linux.GetMemory()), Containers: []statsv1.ContainerStats{},
	}
	for _, c := range linux.GetContainers() {
		one := statsv1.ContainerStats{Name: c.GetAttributes().GetMetadata().GetName(), CPU: cpu(c.GetCpu()), Memory: memory(c.GetMemory())}
		if known := listed[c.GetAttributes().GetId()]; known != nil {
			one.StartTime = stamp(known.CreatedAt)
			if out.StartTime.IsZero() || one.StartTime.Before(&out.StartTime) {
				out.StartTime = one.StartTime
			}
		}
		if layer := c.GetWritableLayer(); layer != nil {
			used, inodes := layer.GetUsedBytes().GetValue(), layer.GetInodesUsed().GetValue()
			one.Rootfs = &statsv1.FsStats{Time: stamp(layer.Timestamp), UsedBytes: &used, InodesUsed: &inodes}
		}
		out.Containers = append(out.Containers, one)
	}
	if n := linux.GetNetwork().GetDefaultInterface(); n != nil {
		rx, tx := n.GetRxBytes().GetValue(), n.GetTxBytes().GetValue()
		rxErrors, txErrors := n.GetRxErrors().GetValue(), n.GetTxErrors().GetValue()
		out.Network = &statsv1.NetworkStats{Time: stamp(linux.GetNetwork().GetTimestamp()), InterfaceStats: statsv1.InterfaceStats{
			Name: n.Name, RxBytes: &rx, TxBytes: &tx, RxErrors: &rxErrors, TxErrors: &txErrors,
		}}
	}
	if processes := linux.GetProcess().GetProcessCount(); processes != nil {
		out.ProcessStats = &statsv1.ProcessStats{ProcessCount: &processes.Value}
	}
	return out
}

func stamp(ns int64) metav1.Time { return metav1.NewTime(time.Unix(0, ns)) }

func cpu(c *runtimeapi.CpuUsage) *statsv1.CPUStats {
	if c == nil {
		return nil
	}
	s := &statsv1.CPUStats{Time: stamp(c.Timestamp)}
	if v := c.GetUsageCoreNanoSeconds(); v != nil {
		s.UsageCoreNanoSeconds = &v.Value
	}
	if v := c.GetUsageNanoCores(); v != nil {
		s.UsageNanoCores = &v.Value
	}
	return s
}

func memory(m *runtimeapi.MemoryUsage) *statsv1.MemoryStats {
	if m == nil {
		return nil
	}
	s := &statsv1.MemoryStats{Time: stamp(m.Timestamp)}
	for _, f := range []struct {
		to   **uint64
		from *runtimeapi.UInt64Value
	}{
		{&s.WorkingSetBytes, m.GetWorkingSetBytes()}, {&s.AvailableBytes, m.GetAvailableBytes()}, {&s.UsageBytes, m.GetUsageBytes()},
		{&s.RSSBytes, m.GetRssBytes()}, {&s.PageFaults, m.GetPageFaults()}, {&s.MajorPageFaults, m.GetMajorPageFaults()},
	} {
		if f.from != nil {
			value := f.from.Value
			*f.to = &value
		}
	}
	if s.AvailableBytes != nil && *s.AvailableBytes == 0 {
		s.AvailableBytes = nil // what has no limit has nothing that is left of it
	}
	return s
}

// node measures the machine.
func (r *Reader) node(ctx context.Context) (statsv1.NodeStats, error) {
	now := metav1.Now()
	n := statsv1.NodeStats{NodeName: r.Node, StartTime: metav1.NewTime(r.Began)}
	used, err := cpuTime()
	if err != nil {
		return n, err
	}
	n.CPU = &statsv1.CPUStats{Time: now, UsageCoreNanoSeconds: &used}
	total, available, err := Memory()
	if err != nil {
		return n, err
	}
	working := total - available
	n.Memory = &statsv1.MemoryStats{Time: now, AvailableBytes: &available, WorkingSetBytes: &working, UsageBytes: &working}
	fs, err := Disk(r.Root)
	if err != nil {
		return n, err
	}
	fs.Time = now
	n.Fs = fs
	if images, err := r.ImageFs(ctx); err == nil { // a runtime that cannot tell leaves it out
		images.Time = now
		n.Runtime = &statsv1.RuntimeStats{ImageFs: images}
	}
	if limit, running, err := Processes(); err == nil {
		n.Rlimit = &statsv1.RlimitStats{Time: now, MaxPID: &limit, NumOfRunningProcesses: &running}
	}
	return n, nil
}

// Memory of the machine: total and available bytes.
func Memory() (total, available uint64, err error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		kib, err := strconv.ParseUint(words[1], 10, 64)
		if err != nil {
			continue // not a size
		}
		switch words[0] {
		case "MemTotal:":
			total = kib * 1024
		case "MemAvailable:":
			available = kib * 1024
		}
	}
	return total, available, lines.Err()
}

// Disk is the file system that holds path.
func Disk(path string) (*statsv1.FsStats, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return nil, fmt.Errorf("the file system of %s: %w", path, err)
	}
	size := uint64(fs.Bsize)
	capacity, available, used := fs.Blocks*size, fs.Bavail*size, (fs.Blocks-fs.Bfree)*size
	inodes, inodesFree := fs.Files, fs.Ffree
	return &statsv1.FsStats{CapacityBytes: &capacity, AvailableBytes: &available, UsedBytes: &used, Inodes: &inodes, InodesFree: &inodesFree}, nil
}

// clockTick is the unit of /proc/stat in nanoseconds: USER_HZ is 100 on every architecture that Go runs on.
const clockTick = uint64(10 * time.Millisecond)

// cpuTime is what all processors worked since boot, in nanoseconds: user, nice, system, irq, softirq and steal.
func cpuTime() (uint64, error) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	if !lines.Scan() {
		return 0, fmt.Errorf("/proc/stat is empty")
	}
	var ticks uint64
	for i, word := range strings.Fields(lines.Text()) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, iowait, guests (counted in user)
			continue
		}
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		ticks += n
	}
	return ticks * clockTick, nil
}
