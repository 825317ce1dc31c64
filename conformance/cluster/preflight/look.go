package preflight

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Look gathers the facts of this machine. root is where the engine keeps its data; proc and sys are /proc and /sys, or a test's.
func Look(apiVersion string, local bool, root, proc, sys string) Facts {
	f := Facts{Local: local, APIVersion: apiVersion}
	f.Instances = number(filepath.Join(proc, "sys/fs/inotify/max_user_instances"))
	f.Watches = number(filepath.Join(proc, "sys/fs/inotify/max_user_watches"))
	f.MemoryFree = memory(filepath.Join(proc, "meminfo"))
	f.NFTables = nftables(proc, sys)
	f.DiskPath, f.DiskFree = disk(root)
	return f
}

func number(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(data))) // 0 is unknown
	return n
}

// memory that programs can have without swapping (proc(5), MemAvailable).
func memory(path string) uint64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(data), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kilobytes, _ := strconv.ParseUint(fields[1], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// nftables asks whether the kernel has nf_tables, as a module or built in: a node cannot load modules. Built-in code shows in the symbols.
func nftables(proc, sys string) *bool {
	yes, no := true, false
	if _, err := os.Stat(filepath.Join(sys, "module/nf_tables")); err == nil {
		return &yes
	}
	f, err := os.Open(filepath.Join(proc, "kallsyms"))
	if err != nil {
		return nil
	}
	defer f.Close()
	any := false
	for lines := bufio.NewScanner(f); lines.Scan(); any = true {
		if fields := strings.Fields(lines.Text()); len(fields) > 2 && fields[2] == "nft_register_expr" {
			return &yes
		}
	}
	if !any {
		return nil
	}
	return &no
}

// disk is the free space where the engine keeps its data, or on the nearest folder above that this user may see.
func disk(root string) (path string, free uint64) {
	for path = root; path != ""; path = filepath.Dir(path) {
		var s unix.Statfs_t
		if err := unix.Statfs(path, &s); err == nil {
			return path, s.Bavail * uint64(s.Bsize)
		}
		if path == "/" {
			break
		}
	}
	return path, 0
}
