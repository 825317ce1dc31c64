package volumes

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ownership gives a volume's files to a pod's fsGroup: the group may read (and write, where the volume is writable), and what is made in its
// folders belongs to it too.
type ownership struct {
	group    *int64
	readOnly bool
	// onMismatch leaves a volume alone whose top folder looks as if it had been given already (fsGroupChangePolicy OnRootMismatch).
	onMismatch bool
}

const (
	groupReadWrite = 0o660
	groupRead      = 0o440
	groupEnter     = 0o110
	permissions    = 0o7777
)

// apply walks through root.
func (o ownership) apply(root string) error {
	if o.group == nil {
		return nil
	}
	fd, err := openFolder(root)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := o.applyTo(fd); err != nil {
		return fmt.Errorf("give %s to group %d: %w", root, *o.group, err)
	}
	return nil
}

func (o ownership) applyTo(fd int) error {
	if o.group == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if o.onMismatch && int64(st.Gid) == *o.group && o.mode(st) == st.Mode&permissions {
		return nil
	}
	if err := o.below(fd); err != nil {
		return err
	}
	return o.one(fd, st) // last, so that a walk that was cut short is seen to be
}

func (o ownership) below(dir int) error {
	all, err := names(dir)
	if err != nil {
		return err
	}
	for _, name := range all {
		fd, st, err := openEntry(dir, name)
		if errors.Is(err, unix.ENOENT) {
			continue // gone meanwhile
		}
		if err != nil {
			return err
		}
		if isFolder(st) {
			err = o.below(fd)
		}
		if err := errors.Join(err, o.one(fd, st), unix.Close(fd)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (o ownership) one(fd int, st unix.Stat_t) error {
	if err := chown(fd, -1, int(*o.group)); err != nil {
		return err
	}
	if isLink(st) {
		return nil
	}
	return chmod(fd, o.mode(st)) // after the owner, whose change takes set-group-ID away
}

// mode that an entry should have.
func (o ownership) mode(st unix.Stat_t) uint32 {
	mask := uint32(groupReadWrite)
	if o.readOnly {
		mask = groupRead
	}
	if isFolder(st) {
		mask |= groupEnter | unix.S_ISGID
	}
	return st.Mode&permissions | mask
}
