package volumes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// makeDir makes a folder with exactly that mode; an existing one is left alone.
func makeDir(dir string, mode os.FileMode) error {
	if isDir(dir) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isMount(path string) (bool, error) {
	ok, err := mountinfo.Mounted(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return ok, err
}

// mountTmpfs mounts memory at dir unless it is mounted; size 0 leaves the limit to the kernel.
func mountTmpfs(dir string, size int64) error {
	mounted, err := isMount(dir)
	if err != nil || mounted {
		return err
	}
	if err := makeDir(dir, 0o777); err != nil {
		return err
	}
	var options []string
	if size > 0 {
		options = append(options, fmt.Sprintf("size=%d", size))
	}
	// Memory that holds secrets must not be swapped out; older kernels do not know the option.
	err = unix.Mount("tmpfs", dir, "tmpfs", 0, strings.Join(append(options, "noswap"), ","))
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, strings.Join(options, ","))
	}
	if err != nil {
		return fmt.Errorf("mount tmpfs at %s: %w", dir, err)
	}
	return os.Chmod(dir, 0o777)
}

// unmountBelow unmounts everything at and below dir, the deepest first.
func unmountBelow(dir string) error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return err
	}
	slices.SortFunc(mounts, func(a, b *mountinfo.Info) int { return len(b.Mountpoint) - len(a.Mountpoint) })
	for _, m := range mounts {
		err := unix.Unmount(m.Mountpoint, unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EBUSY) {
			err = unix.Unmount(m.Mountpoint, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
		}
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unmount %s: %w", m.Mountpoint, err)
		}
	}
	return nil
}

// removeOneFileSystem removes a tree, but nothing that another file system shows in it: a mount that was missed must not lose its data.
func removeOneFileSystem(root string) error {
	info, err := os.Lstat(root)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var top unix.Stat_t
	if err := unix.Lstat(root, &top); err != nil {
		return err
	}
	return removeOn(root, info, top.Dev)
}

func removeOn(path string, info os.FileInfo, device uint64) error {
	if info.IsDir() {
		var here unix.Stat_t
		if err := unix.Lstat(path, &here); err != nil {
			return err
		}
		if here.Dev != device {
			return fmt.Errorf("%s is another file system", path)
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			below, err := e.Info()
			if err != nil {
				return err
			}
			if err := removeOn(filepath.Join(path, e.Name()), below, device); err != nil {
				return err
			}
		}
	}
	return os.Remove(path)
}
