// Package cgroups keeps the folders of the kernel's control groups for QoS classes and pods, and reads what they use.
//
// It knows v1 and v2 behind one small set of functions, in the layout of the cgroupfs driver: kubepods, kubepods/burstable/podUID. It is
// fed limits by workers and asked for usage by the server and by eviction. The runtime makes the groups of containers below.
package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Tree of control groups.
type Tree struct {
	// Mount is where the kernel shows them, /sys/fs/cgroup.
	Mount string
	// Base is the parent of kubepods, / unless configured.
	Base string
	v2   bool
}

// Controllers of v1 that pods are limited or counted by. Those that a machine lacks are left out.
var controllers = []string{"cpu", "cpuacct", "memory", "pids", "cpuset", "blkio", "devices", "freezer", "hugetlb", "systemd"}

// Open finds out which version the machine has.
func Open(mount, base string) *Tree {
	_, err := os.Stat(filepath.Join(mount, "cgroup.controllers"))
	if base == "" {
		base = "/"
	}
	return &Tree{Mount: mount, Base: base, v2: err == nil}
}

// V2 is true for the unified hierarchy.
func (t *Tree) V2() bool { return t.v2 }

// Unlimited takes a limit away.
const Unlimited = -1

// Limits of a group. Zero leaves what there is.
type Limits struct {
	Shares, Quota, Period, Memory int64
	Pids                          int64
}

// PodPath is a pod's group, relative to the mount, as CRI's cgroup parent has it.
func (t *Tree) PodPath(pod *corev1.Pod) string {
	return t.podPath(pod.UID, podinfo.QOS(pod))
}

func (t *Tree) podPath(uid types.UID, class corev1.PodQOSClass) string {
	name := "pod" + string(uid)
	switch class {
	case corev1.PodQOSGuaranteed:
		return filepath.Join(t.Base, "kubepods", name)
	default:
		return filepath.Join(t.Base, "kubepods", strings.ToLower(string(class)), name)
	}
}

// Root makes kubepods and its two classes; milliCPU, memory and pids are what pods may use together.
func (t *Tree) Root(milliCPU, memory, pids int64) error {
	kubepods := filepath.Join(t.Base, "kubepods")
	if err := t.Apply(kubepods, Limits{Shares: max(2, milliCPU*1024/1000), Memory: memory, Pids: pids}); err != nil {
		return err
	}
	for _, class := range []string{"burstable", "besteffort"} {
		if err := t.Apply(filepath.Join(kubepods, class), Limits{Shares: 2}); err != nil {
			return err
		}
	}
	return nil
}

// Apply makes a group and sets its limits.
func (t *Tree) Apply(path string, l Limits) error {
	if t.v2 {
		return t.applyV2(path, l)
	}
	for _, controller := range t.present() {
		if err := os.MkdirAll(filepath.Join(t.Mount, controller, path), 0o755); err != nil {
			return fmt.Errorf("make cgroup %s of %s: %w", path, controller, err)
		}
	}
	if err := t.inheritCpuset(path); err != nil {
		return err
	}
	cpu, memory := filepath.Join(t.Mount, "cpu", path), filepath.Join(t.Mount, "memory", path)
	return errors.Join(
		set(cpu, "cpu.shares", l.Shares), set(cpu, "cpu.cfs_period_us", l.Period), set(cpu, "cpu.cfs_quota_us", l.Quota),
		set(memory, "memory.limit_in_bytes", l.Memory), set(filepath.Join(t.Mount, "pids", path), "pids.max", l.Pids))
}

// present lists the v1 hierarchies of this machine, each once: cpu and cpuacct are often one folder.
func (t *Tree) present() []string {
	var found []string
	seen := map[string]bool{}
	for _, c := range controllers {
		real, err := filepath.EvalSymlinks(filepath.Join(t.Mount, c))
		if err == nil && !seen[real] {
			seen[real] = true
			found = append(found, c)
		}
	}
	return found
}

// inheritCpuset copies the parents' CPUs: a new v1 cpuset is empty and could hold no process.
func (t *Tree) inheritCpuset(path string) error {
	root := filepath.Join(t.Mount, "cpuset")
	if _, err := os.Stat(root); err != nil {
		return nil
	}
	dir := root
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		parent := dir
		dir = filepath.Join(dir, part)
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			if own, err := os.ReadFile(filepath.Join(dir, name)); err == nil && strings.TrimSpace(string(own)) != "" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(parent, name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Tree) applyV2(path string, l Limits) error {
	dir := t.Mount
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		// Controllers reach a group only when its parent passes them on.
		available, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		if err != nil {
			return err
		}
		for _, c := range strings.Fields(string(available)) {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil && !errors.Is(err, syscall.EBUSY) && !errors.Is(err, syscall.ENOTSUP) {
				return fmt.Errorf("pass %s on in %s: %w", c, dir, err)
			}
		}
		dir = filepath.Join(dir, part)
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			return err
		}
	}
	var weight int64
	if l.Shares > 0 {
		weight = Weight(l.Shares)
	}
	var quota error
	if l.Quota != 0 {
		quota = os.WriteFile(filepath.Join(dir, "cpu.max"), []byte(cpuMax(l)), 0o644)
	}
	return errors.Join(set(dir, "cpu.weight", weight), quota, set(dir, "memory.max", l.Memory), set(dir, "pids.max", l.Pids))
}

func cpuMax(l Limits) string {
	if l.Quota == Unlimited {
		return fmt.Sprintf("max %d", l.Period)
	}
	return fmt.Sprintf("%d %d", l.Quota, l.Period)
}

// Weight of v2 for shares of v1: the range 2..262144 mapped on 1..10000, as runtimes do.
func Weight(shares int64) int64 { return 1 + (shares-2)*9999/262142 }

func set(dir, name string, value int64) error {
	if value == 0 {
		return nil
	}
	text := strconv.FormatInt(value, 10)
	if value == Unlimited && strings.HasSuffix(name, ".max") {
		text = "max"
	}
	err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return nil // a controller that this machine does not have
	}
	return err
}

// Remove takes a pod's groups away, in whatever class they are. Groups of containers below go first.
func (t *Tree) Remove(uid types.UID) error {
	var errs []error
	roots := []string{t.Mount}
	if !t.v2 {
		roots = nil
		for _, c := range t.present() {
			roots = append(roots, filepath.Join(t.Mount, c))
		}
	}
	for _, root := range roots {
		for _, class := range []corev1.PodQOSClass{corev1.PodQOSGuaranteed, corev1.PodQOSBurstable, corev1.PodQOSBestEffort} {
			errs = append(errs, removeTree(filepath.Join(root, t.podPath(uid, class))))
		}
	}
	return errors.Join(errs...)
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
