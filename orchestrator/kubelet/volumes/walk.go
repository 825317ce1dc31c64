package volumes

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A container may change its volume at any moment, between two of the kubelet's steps too: a folder that was looked at becomes a symbolic link
// to one of the node's. So nothing below a volume is named by its path. Each entry is opened by its one name in a folder that is open already,
// links are never followed, and what was opened is what is looked at and changed.

// openEntry opens one entry of a folder, whatever it is, without following it and without waiting for anything.
func openEntry(dir int, name string) (int, unix.Stat_t, error) {
	var st unix.Stat_t
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, st, fmt.Errorf("open %s: %w", name, err)
	}
	if err := unix.Fstat(fd, &st); err != nil {
		return -1, st, errors.Join(fmt.Errorf("look at %s: %w", name, err), unix.Close(fd))
	}
	return fd, st, nil
}

// openFolder opens a path of the node's own: nothing of it is in a container's hands.
func openFolder(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}

func isFolder(st unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }
func isLink(st unix.Stat_t) bool   { return st.Mode&unix.S_IFMT == unix.S_IFLNK }

// names of a folder's entries. fd may have been opened without the right to read: it is opened anew.
func names(fd int) ([]string, error) {
	dir, err := unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var all []string
	buffer := make([]byte, 16<<10)
	for {
		n, err := unix.ReadDirent(dir, buffer)
		if err != nil || n <= 0 {
			return all, errors.Join(err, unix.Close(dir))
		}
		_, _, all = unix.ParseDirent(buffer[:n], -1, all)
	}
}

// chmod of what is open. An O_PATH descriptor knows no fchmod; its name below /proc is the very file, whatever its old name means by now.
func chmod(fd int, mode uint32) error {
	return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode)
}

// chown of what is open, a symbolic link itself too.
func chown(fd, user, group int) error {
	return unix.Fchownat(fd, "", user, group, unix.AT_EMPTY_PATH)
}
