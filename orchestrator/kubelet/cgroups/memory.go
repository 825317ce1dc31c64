package cgroups

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// WorkingSet of a group in bytes: what it uses, less the file pages that the kernel can drop at once. Eviction and metrics count so.
func (t *Tree) WorkingSet(path string) (int64, error) {
	dir, used, inactive := filepath.Join(t.Mount, "memory", path), "memory.usage_in_bytes", "total_inactive_file"
	if t.v2 {
		dir, used, inactive = filepath.Join(t.Mount, path), "memory.current", "inactive_file"
	}
	text, err := os.ReadFile(filepath.Join(dir, used))
	if err != nil {
		return 0, err
	}
	usage, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s of %s: %w", used, dir, err)
	}
	idle, err := field(filepath.Join(dir, "memory.stat"), inactive)
	if err != nil {
		return 0, err
	}
	return max(usage-idle, 0), nil
}

// CountsSwap is true where the kernel counts what a group has swapped, so that it can be limited. On v2 the root group has no such file; kubepods,
// which Root makes, has.
func (t *Tree) CountsSwap() bool {
	file := filepath.Join(t.Mount, "memory", "memory.memsw.limit_in_bytes")
	if t.v2 {
		file = filepath.Join(t.Mount, t.Base, "kubepods", "memory.swap.max")
	}
	_, err := os.Stat(file)
	return err == nil
}

// field of a file of names and numbers, 0 when it is not there.
func field(path, name string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), " ")
		if key == name {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, lines.Err()
}
