package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMissing(t *testing.T) {
	yes, no := true, false
	good := Facts{Local: true, APIVersion: "1.41", NFTables: &yes, Instances: 128, Watches: 65536, DiskPath: "/", DiskFree: 10 << 30, MemoryFree: 8 << 30}
	for name, row := range map[string]struct {
		alter func(*Facts)
		want  string
	}{
		"nothing":           {func(*Facts) {}, ""},
		"old engine":        {func(f *Facts) { f.APIVersion = "1.40" }, "install Docker Engine 20.10"},
		"new engine":        {func(f *Facts) { f.APIVersion = "1.100" }, ""},
		"no nf_tables":      {func(f *Facts) { f.NFTables = &no }, "sudo modprobe nf_tables"},
		"few inotify":       {func(f *Facts) { f.Instances = 99 }, "sudo sysctl fs.inotify.max_user_instances=100"},
		"few watches":       {func(f *Facts) { f.Watches = 4999 }, "sudo sysctl fs.inotify.max_user_watches=5000"},
		"full disk":         {func(f *Facts) { f.DiskFree = 1 << 30 }, "docker system prune"},
		"little memory":     {func(f *Facts) { f.MemoryFree = 1 << 30 }, "1024 MB of memory are free, and the cluster needs 1600 MB"},
		"a kernel far away": {func(f *Facts) { f.Local, f.NFTables, f.Instances = false, &no, 1 }, ""},
		"nothing is known":  {func(f *Facts) { *f = Facts{Local: true} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			row.alter(&f)
			lines := Missing(f, Shape{ControlPlanes: 3, Workers: 2})
			if all := strings.Join(lines, "\n"); (row.want == "") != (all == "") || !strings.Contains(all, row.want) || len(lines) > 1 {
				t.Errorf("want %q, got %q", row.want, lines)
			}
		})
	}
}

func TestLook(t *testing.T) {
	proc, sys := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sys/fs/inotify/max_user_instances", "128\n")
	write("meminfo", "MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
	write("kallsyms", "0 T start_kernel\n0 T nft_register_expr\n")
	f := Look("1.41", true, filepath.Join(proc, "no/such/folder"), proc, sys)
	if f.Instances != 128 || f.Watches != 0 || f.MemoryFree != 2<<20 || f.NFTables == nil || !*f.NFTables || f.DiskFree == 0 || f.DiskPath != proc {
		t.Errorf("looked: %+v", f)
	}
	write("kallsyms", "0 T start_kernel\n")
	if f := Look("", true, "/", proc, sys); f.NFTables == nil || *f.NFTables {
		t.Error("a kernel without nf_tables was not noticed")
	}
}
