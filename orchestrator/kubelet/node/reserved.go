package node

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Reserved is what pods do not get: reservations and eviction thresholds.
type Reserved map[corev1.ResourceName]resource.Quantity

// ReadReserved adds up systemReserved and kubeReserved, as "Reserve Compute Resources" says.
func ReadReserved(system, kube map[string]string) (Reserved, error) {
	r := Reserved{}
	for _, from := range []map[string]string{system, kube} {
		for name, text := range from {
			q, err := resource.ParseQuantity(text)
			if err != nil {
				return nil, fmt.Errorf("reserved %s: %q: %w", name, text, err)
			}
			r.add(corev1.ResourceName(name), q)
		}
	}
	return r, nil
}

// WithThresholds adds the hard eviction thresholds: a pod is evicted when it goes beyond, so it must not be promised what is behind them.
func (m *Machine) WithThresholds(reserved Reserved, evictionHard map[string]string) (Reserved, error) {
	r := maps.Clone(reserved)
	capacity := m.Capacity()
	for signal, name := range maps.All(map[string]corev1.ResourceName{"memory.available": corev1.ResourceMemory, "nodefs.available": corev1.ResourceEphemeralStorage}) {
		text, ok := evictionHard[signal]
		if !ok {
			continue
		}
		total := capacity[name]
		q, err := Threshold(text, total.Value())
		if err != nil {
			return nil, fmt.Errorf("evictionHard %s: %w", signal, err)
		}
		r.add(name, q)
	}
	return r, nil
}

func (r Reserved) add(name corev1.ResourceName, q resource.Quantity) {
	sum := r[name]
	sum.Add(q)
	r[name] = sum
}

// Threshold reads a quantity or a percentage of total.
func Threshold(text string, total int64) (resource.Quantity, error) {
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(percent, 64)
		if err != nil {
			return resource.Quantity{}, fmt.Errorf("%q: %w", text, err)
		}
		return *resource.NewQuantity(int64(float64(total)*p/100), resource.BinarySI), nil
	}
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return resource.Quantity{}, fmt.Errorf("%q: %w", text, err)
	}
	return q, nil
}
