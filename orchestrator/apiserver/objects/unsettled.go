package objects

import (
	"errors"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// unsettled is the error of a write of which nobody can tell whether it was done: the store was lost before it answered. Such a write is not tried
// again, since others may have written after it, and what it had reserved is not taken back, since the object that may be there has it: what is then
// reserved for nobody, the repair of allocations finds.
type unsettled struct{ error }

func (u unsettled) Unwrap() error { return u.error }

// outcome marks the errors of a store that leave it open whether the write was done: all but a conflict.
func outcome(err error) error {
	var conflict *store.ConflictError
	if err == nil || errors.As(err, &conflict) {
		return err
	}
	return unsettled{err}
}

func isUnsettled(err error) bool {
	var u unsettled
	return errors.As(err, &u)
}

// settle tells a reservation what became of the write, if that is known.
func settle(h Hooks, release func(written bool), err error) {
	if !isUnsettled(err) {
		release(err == nil && !h.DryRun)
	}
}
