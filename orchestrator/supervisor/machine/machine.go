// Package machine makes a container into a machine on which a node can run: mounts, cgroups, devices, kernel settings, routes.
//
// It uses system calls only (the image has no programs to call), can be run again after a restart, and works with --privileged and without.
// It is fed by the supervisor and knows nothing of components.
package machine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Step is one preparation; its name is for the log.
type Step struct {
	Name string
	Do   func() error
	// Optional steps make a node better; a machine that refuses them still makes a node.
	Optional bool
}

// Steps are all preparations in the order in which they are done.
func Steps() []Step {
	return []Step{
		{Name: "share mounts", Do: shareMounts},
		{Name: "writable sysfs", Do: writableSysfs},
		{Name: "cgroups", Do: cgroups},
		{Name: "folders", Do: folders},
		{Name: "kernel log", Do: kernelLog, Optional: true},
		{Name: "machine ID", Do: machineID, Optional: true},
		{Name: "forward packets", Do: func() error { return sysctl("net.ipv4.ip_forward", "1") }},
		{Name: "forward IPv6 packets", Do: func() error { return sysctl("net.ipv6.conf.all.forwarding", "1") }, Optional: true},
		{Name: "default route", Do: onLinkDefault},
	}
}

// shareMounts lets mounts that pods make with Bidirectional propagation appear on the node.
func shareMounts() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") }

// writableSysfs undoes the read-only sysfs that the engine gives to containers that are not privileged.
func writableSysfs() error {
	return unix.Mount("", "/sys", "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

func folders() error {
	for _, dir := range []string{
		"/var/log/plumb", "/var/log/pods", "/var/log/containers", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/etc/cni/net.d",
		"/etc/containerd", "/etc/kubernetes/manifests", "/run/containerd", "/root", "/var/run",
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// kernelLog makes /dev/kmsg, which kubelets read for messages of the OOM killer; engines hide it.
func kernelLog() error {
	const path = "/dev/kmsg"
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 11))); err == nil {
		return nil
	}
	return os.Symlink(os.DevNull, path)
}

// machineID gives the node an identity of its own (machine-id(5)): sixteen random bytes, kept for the container's life.
func machineID() error {
	const path = "/etc/machine-id"
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	uuid, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(uuid), "-", "")), 0o444)
}

func sysctl(name, value string) error {
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	err := os.WriteFile(path, []byte(value), 0o644)
	if err == nil {
		return nil
	}
	if current, readErr := os.ReadFile(path); readErr == nil && strings.TrimSpace(string(current)) == value {
		return nil
	}
	return fmt.Errorf("sysctl %s=%s: %w", name, value, err)
}

// MayRaisePriority tells whether this process has CAP_SYS_RESOURCE, without which no oom_score_adj may be lowered.
func MayRaisePriority() (bool, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
			return caps>>unix.CAP_SYS_RESOURCE&1 == 1, err
		}
	}
	return false, errors.New("/proc/self/status has no CapEff")
}
