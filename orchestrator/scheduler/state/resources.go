package state

import (
	corev1 "k8s.io/api/core/v1"
)

// Resources are amounts by name: cpu in millicores, everything else in its own unit (bytes, pieces).
type Resources map[corev1.ResourceName]int64

func toResources(list corev1.ResourceList) Resources {
	r := make(Resources, len(list))
	for name, quantity := range list {
		if name == corev1.ResourceCPU {
			r[name] = quantity.MilliValue()
		} else {
			r[name] = quantity.Value()
		}
	}
	return r
}

// add puts in sign times other.
func (r Resources) add(other Resources, sign int64) {
	for name, amount := range other {
		r[name] += sign * amount
	}
}
