package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// hugepages reads how much memory is set aside in pages of each size that the kernel knows: DIR/hugepages-2048kB/nr_hugepages.
func hugepages(dir string) (map[string]int64, error) {
	sizes, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // a kernel without
	}
	if err != nil {
		return nil, fmt.Errorf("the sizes of huge pages: %w", err)
	}
	bytes := map[string]int64{}
	for _, size := range sizes {
		text, ok := strings.CutPrefix(size.Name(), "hugepages-")
		kib, err := strconv.ParseInt(strings.TrimSuffix(text, "kB"), 10, 64)
		if !ok || err != nil {
			continue // something else
		}
		count, err := strconv.ParseInt(line(filepath.Join(dir, size.Name(), "nr_hugepages")), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the number of huge pages of %d KiB: %w", kib, err)
		}
		bytes[resource.NewQuantity(kib*1024, resource.BinarySI).String()] = kib * 1024 * count
	}
	return bytes, nil
}

// Capacity of the machine.
func (m *Machine) Capacity() corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(m.CPUs), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.Memory, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(m.Disk, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(m.MaxPods, resource.DecimalSI),
	}
	for size, bytes := range m.Hugepages {
		list[corev1.ResourceName(corev1.ResourceHugePagesPrefix+size)] = *resource.NewQuantity(bytes, resource.BinarySI)
	}
	return list
}

// Allocatable is capacity less what is reserved, and memory less the huge pages made of it.
func (m *Machine) Allocatable(reserved Reserved) corev1.ResourceList {
	list := m.Capacity()
	for _, bytes := range m.Hugepages {
		subtract(list, corev1.ResourceMemory, *resource.NewQuantity(bytes, resource.BinarySI))
	}
	for name, less := range reserved {
		subtract(list, name, less)
	}
	return list
}

func subtract(list corev1.ResourceList, name corev1.ResourceName, less resource.Quantity) {
	q, ok := list[name]
	if !ok {
		return
	}
	q.Sub(less)
	if q.Sign() < 0 {
		q.Set(0)
	}
	list[name] = q
}

// Bound is what all pods together may take.
type Bound struct{ MilliCPU, Memory, PIDs int64 }

// Bound of the pods' control group: what is not reserved, or the whole machine where reservations are not enforced. Eviction thresholds do
// not narrow it: pods are evicted before they meet it ("Reserve Compute Resources": Enforcing Node Allocatable).
func (m *Machine) Bound(reserved Reserved, enforced bool) Bound {
	b := Bound{MilliCPU: int64(m.CPUs) * 1000, Memory: m.Memory, PIDs: m.MaxPIDs}
	if !enforced {
		return b
	}
	less := func(from int64, name corev1.ResourceName, units func(*resource.Quantity) int64) int64 {
		q := reserved[name]
		return max(from-units(&q), 0)
	}
	b.MilliCPU = less(b.MilliCPU, corev1.ResourceCPU, (*resource.Quantity).MilliValue)
	b.Memory = less(b.Memory, corev1.ResourceMemory, (*resource.Quantity).Value)
	b.PIDs = less(b.PIDs, "pid", (*resource.Quantity).Value)
	return b
}
