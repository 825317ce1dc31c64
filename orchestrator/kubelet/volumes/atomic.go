package volumes

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A volume of API objects looks like this, so that readers see either the old content or the new one, never a mixture:
//
//	..2026_11_23_08_18_14.380081/key   the content
//	..data -> ..2026_11_23_08_18_14.380081
//	key -> ..data/key
const (
	dataLink  = "..data"
	dataNext  = "..data_tmp"
	timestamp = "..2006_01_02_15_04_05."
)

// writeAtomically makes dir show exactly files. Nothing is written when it already does. No name of the volume leads out of it, whatever links
// are in it.
func writeAtomically(dir string, files map[string]file, own ownership) error {
	for name := range files {
		if err := checkName(name); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	old, err := root.Readlink(dataLink)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if old != "" && sameContent(root, old, files) {
		return linkVisible(root, files)
	}
	fresh := time.Now().UTC().Format(timestamp) + rand.Text()[:9]
	if err := root.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := fill(root, fresh, files, own); err != nil {
		return errors.Join(err, root.RemoveAll(fresh))
	}
	_ = root.Remove(dataNext) // of a kubelet that died here
	if err := root.Symlink(fresh, dataNext); err != nil {
		return err
	}
	if err := root.Rename(dataNext, dataLink); err != nil {
		return err
	}
	if err := linkVisible(root, files); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return root.RemoveAll(old)
}

func checkName(name string) error {
	if name == "" || filepath.IsAbs(name) || strings.HasPrefix(name, "..") {
		return fmt.Errorf("invalid path %q", name)
	}
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return fmt.Errorf("path %q must not contain '..'", name)
		}
	}
	return nil
}

func fill(root *os.Root, fresh string, files map[string]file, own ownership) error {
	if err := root.Chmod(fresh, 0o755); err != nil { // the umask took some away
		return err
	}
	for name, f := range files {
		path := filepath.Join(fresh, name)
		if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(path, f.data, os.FileMode(f.mode)); err != nil {
			return err
		}
		if err := root.Chmod(path, os.FileMode(f.mode)); err != nil {
			return err
		}
		if f.owner != nil {
			if err := root.Lchown(path, int(*f.owner), -1); err != nil {
				return err
			}
		}
	}
	folder, err := root.Open(fresh)
	if err != nil {
		return err
	}
	defer folder.Close()
	return own.applyTo(int(folder.Fd()))
}

func sameContent(root *os.Root, dir string, files map[string]file) bool {
	count := 0
	err := fs.WalkDir(root.FS(), dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		want, ok := files[name]
		if !ok {
			return errors.New("one too many")
		}
		data, err := root.ReadFile(path)
		if err != nil || !bytes.Equal(data, want.data) {
			return errors.Join(errors.New("differs"), err)
		}
		count++
		return nil
	})
	return err == nil && count == len(files)
}

// linkVisible makes the names that people see, and removes those of files that are no more.
func linkVisible(root *os.Root, files map[string]file) error {
	want := map[string]bool{}
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		want[top] = true
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, ".."):
		case want[name]:
			delete(want, name)
		case e.Type()&os.ModeSymlink != 0:
			if err := root.Remove(name); err != nil {
				return err
			}
		}
	}
	for name := range want {
		if err := root.Symlink(filepath.Join(dataLink, name), name); err != nil {
			return err
		}
	}
	return nil
}
