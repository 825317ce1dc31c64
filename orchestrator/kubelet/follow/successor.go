package follow

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// successor is the path of the file that came after file, which was opened as the log at path or is one that it was renamed to: "" when that is
// still the log, or when there is none yet.
func successor(file *os.File, path string) (string, error) {
	own, err := file.Stat()
	if err != nil {
		return "", err
	}
	current, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil // between the renaming and the new file, or the container is removed
	case err != nil:
		return "", err
	case os.SameFile(own, current):
		return "", nil
	}
	aside, err := filepath.Glob(path + ".*")
	if err != nil {
		return "", err
	}
	aside = slices.DeleteFunc(aside, func(name string) bool { return strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".tmp") })
	slices.Sort(aside) // their names end in times: the oldest first
	after := 0         // when the file is not among them, it has been compressed or removed, and what is left came after it
	for i, name := range aside {
		if info, err := os.Stat(name); err == nil && os.SameFile(own, info) {
			after = i + 1
		}
	}
	return append(aside, path)[after], nil
}

// skipToTail moves to where the last records of a file begin. What is half written counts as none.
func skipToTail(file *os.File, records int64) error {
	const block = 32 << 10
	at, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buffer := make([]byte, block)
	for found := int64(0); at > 0; {
		n := min(at, block)
		at -= n
		if _, err := file.ReadAt(buffer[:n], at); err != nil {
			return err
		}
		for i := n - 1; i >= 0; i-- {
			if buffer[i] != '\n' {
				continue
			}
			if found++; found > records {
				_, err := file.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
