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
