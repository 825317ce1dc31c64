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

// mountHugepages mounts memory in pages of that many bytes at dir unless it is mounted.
func mountHugepages(dir string, page int64) error {
	mounted, err := isMount(dir)
	if err != nil || mounted {
		return err
	}
	if err := makeDir(dir, 0o777); err != nil {
		return err
	}
	if err := unix.Mount("nodev", dir, "hugetlbfs", 0, fmt.Sprintf("pagesize=%d", page)); err != nil {
		return fmt.Errorf("mount huge pages of %d bytes at %s: %w", page, dir, err)
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
	parent, err := openFolder(filepath.Dir(root))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	fd, top, err := openEntry(parent, filepath.Base(root))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(removeOn(parent, filepath.Base(root), fd, top.Dev), unix.Close(fd))
}

// removeOn removes the entry of dir that fd is.
func removeOn(dir int, name string, fd int, device uint64) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if !isFolder(st) {
		return gone(unix.Unlinkat(dir, name, 0))
	}
	if st.Dev != device {
		return fmt.Errorf("%s is another file system", name)
	}
	all, err := names(fd)
	if err != nil {
		return err
	}
	for _, entry := range all {
		below, _, err := openEntry(fd, entry)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(removeOn(fd, entry, below, device), unix.Close(below)); err != nil {
			return fmt.Errorf("%s/%w", name, err)
		}
	}
	return gone(unix.Unlinkat(dir, name, unix.AT_REMOVEDIR))
}

// gone takes what vanished meanwhile for removed.
func gone(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
