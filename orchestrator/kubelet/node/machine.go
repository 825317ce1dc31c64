// Package node tells the API about this node: it registers it, keeps its status true, and renews its Lease.
//
// It reads the machine (/proc, /etc/os-release), the runtime's status and the configuration. It owns the Node object's status and the Lease
// and touches nothing else. Controllers and the scheduler read what it writes.
package node

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// Machine is what does not change while the kubelet runs.
type Machine struct {
	CPUs    int
	Memory  int64
	Disk    int64
	Info    corev1.NodeSystemInfo
	MaxPods int64
	// Hugepages is the memory in pages of a size ("2Mi") that the kernel has set aside.
	Hugepages map[string]int64
	// MaxPIDs is how many processes there may be.
	MaxPIDs int64
}

// Version that this kubelet claims: the release whose behaviour it has.
const Version = "v1.37.2"

// ReadMachine looks around. root is the kubelet's folder, whose file system is the node's ephemeral storage; podsPerCore 0 is no bound.
func ReadMachine(root string, maxPods, podsPerCore int32) (*Machine, error) {
	memory, err := meminfo("MemTotal")
	if err != nil {
		return nil, err
	}
	m := &Machine{CPUs: runtime.NumCPU(), Memory: memory, MaxPods: int64(maxPods)}
	if podsPerCore > 0 {
		m.MaxPods = min(m.MaxPods, int64(podsPerCore)*int64(m.CPUs))
	}
	if m.Hugepages, err = hugepages("/sys/kernel/mm/hugepages"); err != nil {
		return nil, err
	}
	if m.MaxPIDs, err = strconv.ParseInt(line("/proc/sys/kernel/pid_max"), 10, 64); err != nil {
		return nil, fmt.Errorf("/proc/sys/kernel/pid_max: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(root, &fs); err == nil {
		m.Disk = int64(fs.Blocks) * fs.Bsize
	}
	m.Info = corev1.NodeSystemInfo{
		MachineID:       line("/etc/machine-id"),
		SystemUUID:      strings.ToLower(line("/sys/class/dmi/id/product_uuid")),
		BootID:          line("/proc/sys/kernel/random/boot_id"),
		KernelVersion:   line("/proc/sys/kernel/osrelease"),
		OSImage:         osImage(),
		KubeletVersion:  Version,
		OperatingSystem: runtime.GOOS,
		Architecture:    runtime.GOARCH,
	}
	inside := inUserNamespace(line("/proc/self/uid_map"))
	m.Info.RunningInUserNamespace = &inside
	return m, nil
}

// inUserNamespace tells from a process's map of user IDs: the first namespace maps all of them to themselves.
func inUserNamespace(uidMap string) bool {
	return !slices.Equal(strings.Fields(uidMap), []string{"0", "0", "4294967295"})
}

func line(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "" // the node info says so: empty
	}
	return strings.TrimSpace(string(data))
}

func osImage() string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "PRETTY_NAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return "Linux"
}

func meminfo(field string) (int64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == field+":" {
			kib, err := strconv.ParseInt(words[1], 10, 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no %s", field)
}
