package volumes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"
)

// subPath binds a path inside a volume to a place of its own and returns that place. The container could change symbolic links of the volume
// at any moment, so the path is opened by the kernel beneath the volume, and what was opened is what is mounted.
func (m *Manager) subPath(uid types.UID, volume, container string, index int, root, sub string) (string, error) {
	for _, part := range strings.Split(sub, "/") {
		if part == ".." {
			return "", fmt.Errorf("subPath %q must not contain '..'", sub)
		}
	}
	fd, directory, err := openBeneath(root, sub)
	if err != nil {
		return "", fmt.Errorf("failed to prepare subPath for volumeMount %q of container %q: %w", volume, container, err)
	}
	defer unix.Close(fd)
	target := filepath.Join(m.PodDir(uid), "volume-subpaths", volume, container, strconv.Itoa(index))
	if mounted, err := isMount(target); err != nil {
		return "", err
	} else if mounted {
		if err := unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return "", fmt.Errorf("unmount %s: %w", target, err)
		}
	}
	if err := makeTarget(target, directory); err != nil {
		return "", err
	}
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", fd), target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", fmt.Errorf("bind %s of volume %s to %s: %w", sub, volume, target, err)
	}
	return target, nil
}

func makeTarget(target string, directory bool) error {
	if directory {
		return os.MkdirAll(target, 0o750)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o640)
	if err != nil {
		return err
	}
	return f.Close()
}

// openBeneath opens root/sub, making the folders that are missing with the volume's own mode.
func openBeneath(root, sub string) (fd int, directory bool, err error) {
	base, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, false, fmt.Errorf("open %s: %w", root, err)
	}
	defer unix.Close(base)
	sub = filepath.Clean(sub)
	if sub == "." {
		fd, err = unix.Dup(base)
		return fd, true, err
	}
	made := "."
	for _, part := range strings.Split(sub, "/") {
		next := filepath.Join(made, part)
		if err := makeBeneath(base, made, part, next); err != nil {
			return -1, false, err
		}
		made = next
	}
	fd, err = beneath(base, sub, unix.O_PATH)
	if err != nil {
		return -1, false, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, isFolder(st), nil
}

func makeBeneath(base int, parent, name, path string) error {
	fd, err := beneath(base, path, unix.O_PATH)
	if err == nil {
		return unix.Close(fd)
	}
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	dir, err := beneath(base, parent, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(base, &st); err != nil {
		return err
	}
	err = unix.Mkdirat(dir, name, st.Mode&permissions)
	if errors.Is(err, unix.EEXIST) {
		return nil // made by a container meanwhile: it is not ours to change, and may be a link
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	made, now, err := openEntry(dir, name)
	if err != nil {
		return err
	}
	defer unix.Close(made)
	if !isFolder(now) {
		return fmt.Errorf("make %s: it was replaced meanwhile", path)
	}
	return chmod(made, st.Mode&permissions) // the umask took some away
}

func beneath(base int, path string, flags uint64) (int, error) {
	fd, err := unix.Openat2(base, path, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS})
	if errors.Is(err, unix.EXDEV) {
		return -1, fmt.Errorf("subpath %q not within volume path", path)
	}
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}
