package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoSwap(t *testing.T) {
	const columns = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	for name, row := range map[string]struct{ text, says string }{
		"none":       {columns, ""},
		"a file":     {columns + "/swapfile                               file\t\t1024\t\t0\t\t-2\n", "this machine swaps (/swapfile)"},
		"an old one": {"", ""},
	} {
		file := filepath.Join(t.TempDir(), "swaps")
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := NoSwap(file)
		if (err == nil) != (row.says == "") || (err != nil && !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NoSwap(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("a kernel without swap: %v", err)
	}
}

func TestKernelDefaultsNamesWhatDiffers(t *testing.T) {
	root := t.TempDir()
	for name, value := range kernel {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := KernelDefaults(root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "kernel/panic"), []byte("0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := KernelDefaults(root); err == nil || !strings.Contains(err.Error(), "kernel.panic is 0: set it to 10") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
