package eviction

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Signal is what is observed.
type Signal string

// Signals of a node.
const (
	MemoryAvailable   Signal = "memory.available"
	NodeFsAvailable   Signal = "nodefs.available"
	NodeFsInodesFree  Signal = "nodefs.inodesFree"
	ImageFsAvailable  Signal = "imagefs.available"
	ImageFsInodesFree Signal = "imagefs.inodesFree"
	PIDAvailable      Signal = "pid.available"
)

// signals in the order in which they are dealt with.
var signals = []Signal{MemoryAvailable, NodeFsAvailable, ImageFsAvailable, NodeFsInodesFree, ImageFsInodesFree, PIDAvailable}

// Observation of one signal, in bytes or in pieces.
type Observation struct{ Available, Capacity int64 }

// Observations by signal; what cannot be observed is left out.
type Observations map[Signal]Observation

// Threshold of a signal. One with a grace is soft.
type Threshold struct {
	Signal Signal
	// Quantity or Percent of the capacity that must be available.
	Quantity int64
	Percent  float64
	// Reclaim is what must be available beyond that before it is over.
	Reclaim int64
	Grace   time.Duration
}

// Parse reads evictionHard, evictionSoft with evictionSoftGracePeriod, and evictionMinimumReclaim.
func Parse(hard, soft, softGrace, reclaim map[string]string) ([]Threshold, error) {
	var all []Threshold
	for i, set := range []map[string]string{hard, soft} {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			t := Threshold{Signal: Signal(name)}
			if !slices.Contains(signals, t.Signal) {
				if strings.HasPrefix(name, "allocatableMemory.") || strings.HasPrefix(name, "containerfs.") {
					continue // what this node does not tell apart
				}
				return nil, fmt.Errorf("eviction: unknown signal %q", name)
			}
			if err := t.read(set[name]); err != nil {
				return nil, fmt.Errorf("eviction threshold %s=%s: %w", name, set[name], err)
			}
			if t.Quantity == 0 && t.Percent == 0 {
				continue // switched off
			}
			if err := t.extras(name, softGrace, reclaim, i == 1); err != nil {
				return nil, err
			}
			all = append(all, t)
		}
	}
	return all, nil
}

func (t *Threshold) read(text string) error {
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(percent, 64)
		if err != nil || p < 0 || p > 100 {
			return fmt.Errorf("%q is no percentage", text)
		}
		if p < 100 {
			t.Percent = p // 100% means: never
		}
		return nil
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return fmt.Errorf("%q is no quantity that can be available", text)
	}
	t.Quantity = q.Value()
	return nil
}

func (t *Threshold) extras(name string, softGrace, reclaim map[string]string, soft bool) error {
	if soft {
		grace, err := time.ParseDuration(softGrace[name])
		if err != nil || grace <= 0 {
			return fmt.Errorf("evictionSoftGracePeriod of %s: %q is no duration", name, softGrace[name])
		}
		t.Grace = grace
	}
	if text := reclaim[name]; text != "" && !strings.HasSuffix(text, "%") {
		q, err := resource.ParseQuantity(text)
		if err != nil {
			return fmt.Errorf("evictionMinimumReclaim of %s: %w", name, err)
		}
		t.Reclaim = q.Value()
	}
	return nil
}

// value that must be available.
func (t Threshold) value(capacity int64) resource.Quantity {
	n := t.Quantity
	if t.Percent > 0 {
		n = int64(float64(capacity) * t.Percent / 100)
	}
	return *resource.NewQuantity(n, resource.BinarySI)
}

// metBy is true while too little is available; one that was met stays so until its reclaim is there too.
func (t Threshold) metBy(seen Observations, was bool) bool {
	o, ok := seen[t.Signal]
	if !ok {
		return false
	}
	value := t.value(o.Capacity)
	limit := value.Value()
	if was {
		limit += t.Reclaim
	}
	return o.Available < limit
}

func (t Threshold) condition() corev1.NodeConditionType {
	switch t.Signal {
	case MemoryAvailable:
		return corev1.NodeMemoryPressure
	case PIDAvailable:
		return corev1.NodePIDPressure
	}
	return corev1.NodeDiskPressure
}

// resource that is short, as messages name it.
func (t Threshold) resource() corev1.ResourceName {
	switch t.Signal {
	case MemoryAvailable:
		return corev1.ResourceMemory
	case PIDAvailable:
		return "pids"
	case NodeFsInodesFree, ImageFsInodesFree:
		return "inodes"
	}
	return corev1.ResourceEphemeralStorage
}

func byUrgency(due []Threshold) {
	slices.SortStableFunc(due, func(a, b Threshold) int { return slices.Index(signals, a.Signal) - slices.Index(signals, b.Signal) })
}
