// Package stats measures what the node, its pods and their containers use, when somebody asks.
//
// It reads CRI statistics and /proc, at most once a second, and has no loop of its own. The server serves it as /stats/summary and
// /metrics/resource; eviction looks at it for what is short and who takes it.
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Reader measures.
type Reader struct {
	Node    string
	Root    string // the kubelet's folder, whose file system is the node's
	Runtime *runtime.Client
	Began   time.Time

	mu   sync.Mutex
	last *statsv1.Summary
	at   time.Time
}

const fresh = time.Second

// Summary of everything.
func (r *Reader) Summary(ctx context.Context) (*statsv1.Summary, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && time.Since(r.at) < fresh {
		return r.last, nil
	}
	pods, err := r.Runtime.ListPodSandboxStats(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("statistics of the pods: %w", err)
	}
	s := &statsv1.Summary{Pods: []statsv1.PodStats{}}
	if s.Node, err = r.node(); err != nil {
		return nil, err
	}
	for _, p := range pods {
		s.Pods = append(s.Pods, pod(p))
	}
	r.last, r.at = s, time.Now()
	return s, nil
}

func pod(p *runtimeapi.PodSandboxStats) statsv1.PodStats {
	meta, linux := p.GetAttributes().GetMetadata(), p.GetLinux()
	out := statsv1.PodStats{
		PodRef: statsv1.PodReference{Name: meta.GetName(), Namespace: meta.GetNamespace(), UID: meta.GetUid()},
		CPU:    cpu(linux.GetCpu()), Memory: memory(linux.GetMemory()), Containers: []statsv1.ContainerStats{},
	}
	for _, c := range linux.GetContainers() {
		one := statsv1.ContainerStats{Name: c.GetAttributes().GetMetadata().GetName(), CPU: cpu(c.GetCpu()), Memory: memory(c.GetMemory())}
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
	return s
}

// node measures the machine.
func (r *Reader) node() (statsv1.NodeStats, error) {
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
