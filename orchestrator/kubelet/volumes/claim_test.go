package volumes

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func claimant(uid string, group int64, policy corev1.PodFSGroupChangePolicy) *corev1.Pod {
	p := &corev1.Pod{}
	p.UID = types.UID(uid)
	p.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: &group}
	if policy != "" {
		p.Spec.SecurityContext.FSGroupChangePolicy = &policy
	}
	return p
}

func owner(t *testing.T, path string) (group int64, mode uint32) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Gid), st.Mode & permissions
}

// The files of a claim never belonged to the pod's fsGroup.
func TestALocalVolumeIsGivenToTheFSGroupOnce(t *testing.T) {
	disk := t.TempDir()
	file := filepath.Join(disk, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pv := &corev1.PersistentVolume{}
	pv.Name, pv.Spec.Local = "pv", &corev1.LocalVolumeSource{Path: disk}
	m := &Manager{Root: t.TempDir(), Sources: Sources{Claim: func(context.Context, string, string) (*corev1.PersistentVolume, error) { return pv, nil }}}
	mount := func(pod *corev1.Pod, readOnly bool) {
		t.Helper()
		if _, _, err := m.claim(t.Context(), pod, "c", readOnly); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, group int64, mode uint32) {
		t.Helper()
		if g, bits := owner(t, file); g != group || bits != mode {
			t.Errorf("%s: group %d, mode %o; want %d, %o", when, g, bits, group, mode)
		}
	}
	mount(claimant("reader", 4001, ""), true)
	expect("for a reader", int64(os.Getgid()), 0o600)
	if err := m.Teardown("reader"); err != nil {
		t.Fatal(err)
	}
	mount(claimant("a", 4001, ""), false)
	expect("for the first pod", 4001, 0o660)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	mount(claimant("a", 4001, ""), false)
	expect("for the same pod again", 4001, 0o640)
	mount(claimant("b", 4002, ""), false)
	expect("for a pod beside it", 4001, 0o640)
	for _, uid := range []types.UID{"a", "b"} {
		if err := m.Teardown(uid); err != nil {
			t.Fatal(err)
		}
	}
	mount(claimant("c", 4001, corev1.FSGroupChangeOnRootMismatch), false)
	expect("when the top folder is right already", 4001, 0o640)
	if err := m.Teardown("c"); err != nil {
		t.Fatal(err)
	}
	mount(claimant("d", 4003, corev1.FSGroupChangeOnRootMismatch), false)
	expect("when it is not", 4003, 0o660)
	if _, err := os.Stat(file); err != nil {
		t.Errorf("teardown took the volume's files: %v", err)
	}
}
