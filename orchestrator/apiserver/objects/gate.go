package objects

import (
	"errors"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Gate is where a write meets admission. Insert, Modify and Remove pass it exactly once per attempt and refuse a write that brings none: who admits
// a write has to be said, be it by Own.
type Gate interface {
	// Admit may alter obj, which is nil on a deletion; old is nil on a creation. It sees the defaulted object.
	Admit(obj, old kind.Object) error
	// Validate may only refuse. It sees the object that would be stored.
	Validate(obj, old kind.Object) error
}

// Own is the gate of what the apiserver writes itself, in nobody's name: bootstrap objects, addresses, what follows from a body that was admitted
// as a whole (a binding, an eviction). Nobody is asked.
var Own Gate = own{}

type own struct{}

func (own) Admit(_, _ kind.Object) error    { return nil }
func (own) Validate(_, _ kind.Object) error { return nil }

// errNoGate is a fault of the caller.
var errNoGate = errors.New("objects: a write without a gate")
