package stats

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolderCountsEachFileOnce(t *testing.T) {
	dir := t.TempDir()
	empty, inodes, err := Folder(dir)
	if err != nil || inodes != 1 {
		t.Fatalf("empty: %d, %v", inodes, err)
	}
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, make([]byte, 100000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(file, filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	bytes, inodes, err := Folder(dir)
	if err != nil || inodes != 2 || bytes-empty < 100000 || bytes-empty > 150000 {
		t.Errorf("%d bytes more in %d inodes, %v", bytes-empty, inodes, err)
	}
	if bytes, _, err := Folder(filepath.Join(dir, "gone")); bytes != 0 || err != nil {
		t.Errorf("a folder that is not there: %d, %v", bytes, err)
	}
}

func TestProcesses(t *testing.T) {
	limit, running, err := Processes()
	if err != nil || running < 1 || limit <= running {
		t.Errorf("%d of %d, %v", running, limit, err)
	}
}
