package volumes

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const secretMode = 0o600

// hostFolder is a folder of the node outside every volume, with one file that nobody but root may read.
func hostFolder(t *testing.T) (folder, secret string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "host")
	secret = filepath.Join(folder, "secret")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("s"), secretMode); err != nil {
		t.Fatal(err)
	}
	return folder, secret
}

func untouched(t *testing.T, folder, secret string) {
	t.Helper()
	for path, mode := range map[string]os.FileMode{folder: 0o700, secret: secretMode} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatalf("the node lost %s: %v", path, err)
		}
		if info.Mode().Perm() != mode {
			t.Fatalf("%s has mode %o, had %o", path, info.Mode().Perm(), mode)
		}
		if gid := info.Sys().(*syscall.Stat_t).Gid; int(gid) != os.Getgid() {
			t.Fatalf("%s belongs to group %d, belonged to %d", path, gid, os.Getgid())
		}
	}
}

// against runs step again and again while a container, move, changes its volume as fast as it can.
func against(t *testing.T, move func(), step func(round int)) {
	t.Helper()
	stop := make(chan struct{})
	var container sync.WaitGroup
	container.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				move()
			}
		}
	})
	defer container.Wait()
	defer close(stop)
	for round, until := 0, time.Now().Add(time.Second); time.Now().Before(until); round++ {
		step(round)
	}
}

// A folder of a subPath that a container replaced by a link, between the kubelet's look and its chmod, gave the link's target the volume's mode.
func TestSubPathChangesNothingThatALinkPointsTo(t *testing.T) {
	folder, secret := hostFolder(t)
	root := t.TempDir()
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	target, name := folder, filepath.Join(root, "sub")
	against(t, func() {
		_ = os.Remove(name)
		_ = os.Symlink(target, name)
		_ = os.Remove(name)
	}, func(int) {
		if fd, _, err := openBeneath(root, "sub"); err == nil {
			_ = unix.Close(fd)
		}
		untouched(t, folder, secret)
	})
}

// exchange swaps two entries of a folder in one step, as a container may.
func exchange(a, b string) {
	_ = unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// contested is a volume whose folder "in" becomes a link to the node's folder and back.
func contested(t *testing.T, folder string) (root string, move func()) {
	t.Helper()
	root = t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "in", "secret"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, filepath.Join(root, "out")); err != nil {
		t.Fatal(err)
	}
	return root, func() { exchange(filepath.Join(root, "in"), filepath.Join(root, "out")) }
}

func TestFSGroupChangesNothingThatALinkPointsTo(t *testing.T) {
	folder, secret := hostFolder(t)
	root, move := contested(t, folder)
	group := int64(4242)
	against(t, move, func(int) {
		_ = ownership{group: &group}.apply(root) // what moves under it may be an error
		untouched(t, folder, secret)
	})
}

func TestTeardownRemovesNothingThatALinkPointsTo(t *testing.T) {
	folder, secret := hostFolder(t)
	var moving atomic.Pointer[func()]
	nothing := func() {}
	moving.Store(&nothing)
	against(t, func() { (*moving.Load())() }, func(int) {
		root, move := contested(t, folder)
		moving.Store(&move)
		_ = removeOneFileSystem(root)
		untouched(t, folder, secret)
	})
}

// The link to the content of before was followed when that was removed.
func TestContentOfBeforeIsRemovedOnlyInTheVolume(t *testing.T) {
	folder, secret := hostFolder(t)
	dir := filepath.Join(filepath.Dir(folder), "volume")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../host", filepath.Join(dir, dataLink)); err != nil {
		t.Fatal(err)
	}
	_ = writeAtomically(dir, content(map[string]string{"a": "1"}), ownership{}) // that it goes no further is fine
	untouched(t, folder, secret)
}

func TestFSGroupIsGivenToAllButLinksTargets(t *testing.T) {
	folder, secret := hostFolder(t)
	root, group := t.TempDir(), int64(4242)
	for _, dir := range []string{"a", "a/b"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "a/b/f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := (ownership{group: &group}).apply(root); err != nil {
		t.Fatal(err)
	}
	untouched(t, folder, secret)
	for name, want := range map[string]uint32{".": 0o2770, "a": 0o2770, "a/b": 0o2770, "a/b/f": 0o660, "pipe": 0o660, "link": 0o777} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(root, name), &st); err != nil {
			t.Fatal(err)
		}
		got := st.Mode & permissions
		if name == "." {
			got |= 0o005 // of the folder of tests
			want |= 0o005
		}
		if got != want || int64(st.Gid) != group {
			t.Errorf("%s has mode %o and group %d, want %o and %d", name, got, st.Gid, want, group)
		}
	}
}
