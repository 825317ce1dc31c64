package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// cgroups makes every mounted hierarchy writable; on v2 it also makes room for pods' cgroups.
func cgroups() error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter("/sys/fs/cgroup"))
	if err != nil {
		return fmt.Errorf("list cgroup mounts: %w", err)
	}
	for _, m := range mounts {
		switch m.FSType {
		case "cgroup", "cgroup2":
			if err := remount(m.Mountpoint, m.Options); err != nil {
				return err
			}
		}
		if m.FSType == "cgroup2" && m.Mountpoint == "/sys/fs/cgroup" {
			if err := delegate(m.Mountpoint); err != nil {
				return fmt.Errorf("delegate cgroup v2: %w", err)
			}
		}
	}
	return nil
}

// remount makes one mount writable and leaves the superblock, which other containers share, as it is.
func remount(path, options string) error {
	if !strings.HasPrefix(options+",", "ro,") {
		return nil
	}
	if err := unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("remount %s writable: %w", path, err)
	}
	return nil
}

// delegate moves this node's processes out of the root: a cgroup that has processes may not hand controllers to its children
// (the kernel's cgroup-v2 document, "No Internal Process Constraint").
func delegate(root string) error {
	home := filepath.Join(root, "plumb-node")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	procs, err := os.ReadFile(filepath.Join(root, "cgroup.procs"))
	if err != nil {
		return err
	}
	for _, pid := range strings.Fields(string(procs)) {
		// A process that ended meanwhile, or stands outside our namespace, cannot be moved and need not be.
		_ = os.WriteFile(filepath.Join(home, "cgroup.procs"), []byte(pid), 0o644)
	}
	controllers, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+name), 0o644); err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
	}
	return nil
}
