package residue

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/nftables"
)

// Look takes a snapshot. proc and groups are /proc and /sys/fs/cgroup, or a test's. What this user may not see is not in it.
func Look(proc, groups string) Snapshot {
	s := Snapshot{
		Mounts:    lines(filepath.Join(proc, "self/mountinfo")),
		Routes:    lines(filepath.Join(proc, "net/route")),
		Processes: processes(proc),
		Groups:    groupsBelow(groups),
	}
	if conn, err := nftables.New(); err == nil {
		if tables, err := conn.ListTables(); err == nil {
			for _, t := range tables {
				s[Tables] = append(s[Tables], fmt.Sprintf("%s (family %d)", t.Name, t.Family))
			}
		}
	}
	return s
}

func lines(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// processes are described by their pid, name and control groups, which name the container.
func processes(proc string) (all []string) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		name := strings.Join(lines(filepath.Join(proc, e.Name(), "comm")), " ")
		member := strings.Join(lines(filepath.Join(proc, e.Name(), "cgroup")), " ")
		all = append(all, e.Name()+" "+name+" "+member)
	}
	return all
}

// groupDepth is how deep below a hierarchy the engine makes a container's group: docker/ID, or system.slice/docker-ID.scope.
const groupDepth = 4

func groupsBelow(root string) (all []string) {
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil // it went away while we looked, or is not ours to see
		}
		all = append(all, path)
		if relative, _ := filepath.Rel(root, path); strings.Count(relative, "/") >= groupDepth {
			return filepath.SkipDir
		}
		return nil
	})
	return all
}
