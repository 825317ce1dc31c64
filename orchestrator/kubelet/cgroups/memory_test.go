package cgroups

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWorkingSetLeavesOutWhatCanBeDropped(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"v1":              {map[string]string{"memory/kubepods/memory.usage_in_bytes": "1000\n", "memory/kubepods/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n"}, 700},
		"v2":              {map[string]string{"cgroup.controllers": "memory\n", "kubepods/memory.current": "1000\n", "kubepods/memory.stat": "anon 5\ninactive_file 400\n"}, 600},
		"more than usage": {map[string]string{"cgroup.controllers": "", "kubepods/memory.current": "10\n", "kubepods/memory.stat": "inactive_file 400\n"}, 0},
	} {
		mount := t.TempDir()
		for file, text := range row.files {
			path := filepath.Join(mount, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := Open(mount, "/").WorkingSet("kubepods"); err != nil || got != row.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, row.want)
		}
	}
}

func TestCountsSwap(t *testing.T) {
	for name, row := range map[string]struct {
		files []string
		want  bool
	}{
		"v1":         {[]string{"memory/memory.memsw.limit_in_bytes"}, true},
		"v1 without": {[]string{"memory/memory.limit_in_bytes"}, false},
		"v2":         {[]string{"cgroup.controllers", "kubelet/kubepods/memory.swap.max"}, true},
		"v2 without": {[]string{"cgroup.controllers", "kubelet/kubepods/memory.max"}, false},
	} {
		mount := t.TempDir()
		for _, file := range row.files {
			path := filepath.Join(mount, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := Open(mount, "/kubelet").CountsSwap(); got != row.want {
			t.Errorf("%s: %t, want %t", name, got, row.want)
		}
	}
}
