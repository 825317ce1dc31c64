package stats

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Folder is what a folder and everything below take of the disk: bytes and inodes. What vanishes meanwhile counts as nothing, and so does what is
// outside: a container may put a link where a folder was seen.
func Folder(path string) (bytes, inodes int64, err error) {
	root, err := os.OpenRoot(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer root.Close()
	seen := map[uint64]bool{}
	err = fs.WalkDir(root.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && !seen[s.Ino] {
			seen[s.Ino] = true // a file with two names is there once
			bytes += s.Blocks * 512
			inodes++
		}
		return nil
	})
	return bytes, inodes, err
}

// Processes of the machine: how many there may be, and how many there are.
func Processes() (limit, running int64, err error) {
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		return 0, 0, err
	}
	if limit, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("/proc/sys/kernel/pid_max: %w", err)
	}
	if text, err = os.ReadFile("/proc/loadavg"); err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 4 {
		return 0, 0, fmt.Errorf("/proc/loadavg: %q", text)
	}
	_, total, _ := strings.Cut(fields[3], "/") // runnable/all
	running, err = strconv.ParseInt(total, 10, 64)
	return limit, running, err
}
