package node

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Huge pages were always said to be none.
func TestHugepagesAreThoseThatTheKernelSetAside(t *testing.T) {
	dir := t.TempDir()
	for size, count := range map[string]string{"hugepages-2048kB": "512\n", "hugepages-1048576kB": "0\n"} {
		if err := os.Mkdir(filepath.Join(dir, size), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, size, "nr_hugepages"), []byte(count), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := hugepages(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := Machine{CPUs: 2, Memory: 8 << 30, Hugepages: found}
	for name, want := range map[corev1.ResourceName]string{"hugepages-2Mi": "1Gi", "hugepages-1Gi": "0", corev1.ResourceMemory: "8Gi"} {
		if q, ok := m.Capacity()[name]; !ok || q.String() != want {
			t.Errorf("capacity of %s is %s, want %s", name, q.String(), want)
		}
	}
	if q := m.Allocatable(nil)[corev1.ResourceMemory]; q.String() != "7Gi" {
		t.Errorf("memory made of huge pages is promised twice: %s", q.String())
	}
	if none, err := hugepages(filepath.Join(dir, "none")); none != nil || err != nil {
		t.Errorf("a kernel without: %v, %v", none, err)
	}
}

// All memory of the machine was the limit of all pods, whatever was reserved.
func TestPodsTogetherGetWhatIsNotReserved(t *testing.T) {
	m := Machine{CPUs: 4, Memory: 8 << 30, MaxPIDs: 32768}
	reserved, err := ReadReserved(map[string]string{"cpu": "500m", "memory": "1Gi", "pid": "768"}, map[string]string{"memory": "1Gi"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := m.WithThresholds(reserved, map[string]string{"memory.available": "25%"})
	if err != nil {
		t.Fatal(err)
	}
	if q := m.Allocatable(all)[corev1.ResourceMemory]; q.Value() != 4<<30 {
		t.Errorf("allocatable memory %s, want 4Gi: reservations and the threshold are not promised", q.String())
	}
	if got, want := m.Bound(reserved, true), (Bound{3500, 6 << 30, 32000}); got != want {
		t.Errorf("enforced: %v, want %v", got, want)
	}
	if got, want := m.Bound(reserved, false), (Bound{4000, 8 << 30, 32768}); got != want {
		t.Errorf("not enforced: %v, want %v", got, want)
	}
}

func TestPodsPerCoreBoundsMaxPods(t *testing.T) {
	m, err := ReadMachine(t.TempDir(), 110, 1)
	if err != nil {
		t.Fatal(err)
	}
	if m.MaxPods != int64(min(m.CPUs, 110)) {
		t.Errorf("%d pods on %d CPUs", m.MaxPods, m.CPUs)
	}
}
