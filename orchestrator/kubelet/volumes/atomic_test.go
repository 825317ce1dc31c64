package volumes

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func content(files map[string]string) map[string]file {
	out := map[string]file{}
	for name, data := range files {
		out[name] = file{data: []byte(data), mode: 0o640}
	}
	return out
}

// visible lists what a reader sees, name to content.
func visible(t *testing.T, dir string, names ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			out[name] = string(data)
		}
	}
	return out
}

func TestWriteAtomically(t *testing.T) {
	dir := t.TempDir()
	for _, row := range []struct {
		name  string
		files map[string]string
		top   []string
	}{
		{"first content", map[string]string{"a": "1", "d/e": "2"}, []string{"a", "d"}},
		{"changed, one removed", map[string]string{"a": "3"}, []string{"a"}},
		{"one added", map[string]string{"a": "3", "b": "4"}, []string{"a", "b"}},
		{"emptied", map[string]string{}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := writeAtomically(dir, content(row.files), ownership{}); err != nil {
				t.Fatal(err)
			}
			got := visible(t, dir, "a", "b", "d/e")
			if len(got) != len(row.files) {
				t.Errorf("sees %v, want %v", got, row.files)
			}
			for name, want := range row.files {
				if got[name] != want {
					t.Errorf("%s holds %q, want %q", name, got[name], want)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var top []string
			folders := 0
			for _, e := range entries {
				switch {
				case e.IsDir():
					folders++
				case e.Name() != dataLink:
					top = append(top, e.Name())
				}
			}
			if !slices.Equal(top, row.top) || folders != 1 {
				t.Errorf("top shows %v and %d content folders, want %v and 1", top, folders, row.top)
			}
		})
	}
}

func TestWriteAtomicallyLeavesEqualContentAlone(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := writeAtomically(dir, content(map[string]string{"a": "1"}), ownership{}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Readlink(filepath.Join(dir, dataLink))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeAtomically(dir, content(map[string]string{"a": "1"}), ownership{}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Readlink(filepath.Join(dir, dataLink)); after != before {
		t.Errorf("rewritten: %s became %s", before, after)
	}
}

func TestNamesThatLeaveTheVolumeAreRefused(t *testing.T) {
	for _, name := range []string{"", "/a", "../a", "a/../../b", "..data"} {
		if err := writeAtomically(t.TempDir(), content(map[string]string{name: "x"}), ownership{}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestOpenBeneathRefusesLinksOut(t *testing.T) {
	root := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(root, "out")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openBeneath(root, "out/passwd"); err == nil {
		t.Error("a link out of the volume was followed")
	}
	fd, directory, err := openBeneath(root, "new/deep")
	if err != nil || !directory {
		t.Fatalf("missing folders are made: %v", err)
	}
	_ = os.NewFile(uintptr(fd), "").Close()
}
