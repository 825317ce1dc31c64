package volumes

import (
	"os"
	"path/filepath"
)

// ownership gives a volume's files to a pod's fsGroup: the group may read (and write, where the volume is writable), and what is made in its
// folders belongs to it too.
type ownership struct {
	group    *int64
	readOnly bool
}

const (
	groupReadWrite = 0o660
	groupRead      = 0o440
	groupEnter     = 0o110
)

func (o ownership) apply(root string) error {
	if o.group == nil {
		return nil
	}
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := os.Lchown(path, -1, int(*o.group)); err != nil {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mask := os.FileMode(groupReadWrite)
		if o.readOnly {
			mask = groupRead
		}
		if info.IsDir() {
			mask |= groupEnter | os.ModeSetgid
		}
		keep := info.Mode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
		return os.Chmod(path, keep|mask)
	})
}
