package residue

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLeftIsWhatIsNewAndOurs(t *testing.T) {
	marks := []string{"c0ffee", "br-beef", ""}
	before := Snapshot{Mounts: []string{"old /run/c0ffee"}, Tables: []string{"docker (family 2)"}}
	for name, row := range map[string]struct {
		after Snapshot
		want  []string
	}{
		"nothing":                 {before, nil},
		"what was there":          {Snapshot{Mounts: []string{"old /run/c0ffee"}}, nil},
		"a mount":                 {Snapshot{Mounts: []string{"new /run/c0ffee"}}, []string{"mount: new /run/c0ffee"}},
		"another cluster's mount": {Snapshot{Mounts: []string{"new /run/decaf"}}, nil},
		"a process":               {Snapshot{Processes: []string{"7 node 1:cpu:/docker/c0ffee"}}, []string{"process: 7 node 1:cpu:/docker/c0ffee"}},
		"a route":                 {Snapshot{Routes: []string{"br-beef 0003A8C0"}}, []string{"route: br-beef 0003A8C0"}},
		"a control group":         {Snapshot{Groups: []string{"/cpu/docker/c0ffee"}}, []string{"control group: /cpu/docker/c0ffee"}},
		"a table":                 {Snapshot{Tables: []string{"docker (family 2)", "kube-proxy (family 2)"}}, []string{"nft table: kube-proxy (family 2)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Left(before, row.after, marks); !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestLookSeesProcessesMountsRoutesAndGroups(t *testing.T) {
	proc, groups := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"self/mountinfo": "1 2 0:1 / /run/c0ffee rw\n", "net/route": "Iface Destination\nbr-beef 0003A8C0\n",
		"7/comm": "node\n", "7/cgroup": "1:cpu:/docker/c0ffee\n",
	} {
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(groups, "cpu/docker/c0ffee/kubepods/a/b/c"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := Look(proc, groups)
	for kind, want := range map[string]string{
		Processes: "7 node 1:cpu:/docker/c0ffee", Mounts: "/run/c0ffee", Routes: "br-beef 0003A8C0", Groups: "cpu/docker/c0ffee",
	} {
		if !slices.ContainsFunc(s[kind], func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("no %s with %q in %q", kind, want, s[kind])
		}
	}
}
