package volumes

import (
	"bytes"
	"errors"
	"fmt"
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

// writeAtomically makes dir show exactly files. Nothing is written when it already does.
func writeAtomically(dir string, files map[string]file, own ownership) error {
	for name := range files {
		if err := checkName(name); err != nil {
			return err
		}
	}
	old, err := os.Readlink(filepath.Join(dir, dataLink))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if old != "" && sameContent(filepath.Join(dir, old), files) {
		return linkVisible(dir, files)
	}
	fresh, err := os.MkdirTemp(dir, time.Now().UTC().Format(timestamp))
	if err != nil {
		return err
	}
	if err := fill(fresh, files, own); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	next := filepath.Join(dir, dataNext)
	_ = os.Remove(next) // of a kubelet that died here
	if err := os.Symlink(filepath.Base(fresh), next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(dir, dataLink)); err != nil {
		return err
	}
	if err := linkVisible(dir, files); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, old))
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

func fill(fresh string, files map[string]file, own ownership) error {
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	for name, f := range files {
		path := filepath.Join(fresh, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.data, os.FileMode(f.mode)); err != nil {
			return err
		}
		if err := os.Chmod(path, os.FileMode(f.mode)); err != nil { // the umask took some away
			return err
		}
		if f.owner != nil {
			if err := os.Lchown(path, int(*f.owner), -1); err != nil {
				return err
			}
		}
	}
	return own.apply(fresh)
}

func sameContent(dir string, files map[string]file) bool {
	count := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
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
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(data, want.data) {
			return errors.Join(errors.New("differs"), err)
		}
		count++
		return nil
	})
	return err == nil && count == len(files)
}

// linkVisible makes the names that people see, and removes those of files that are no more.
func linkVisible(dir string, files map[string]file) error {
	want := map[string]bool{}
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		want[top] = true
	}
	entries, err := os.ReadDir(dir)
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
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for name := range want {
		if err := os.Symlink(filepath.Join(dataLink, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
