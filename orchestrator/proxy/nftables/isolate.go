package nftables

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
)

// suspect is what an owner should have and the kernel has not accepted yet, and what it had before.
type suspect struct {
	want, before map[slot]content
}

// errRefused: the kernel, or the encoding before it, does not take what a transaction holds.
var errRefused = errors.New("the packet filter refuses")

// inability are errors that do not depend on what a transaction holds.
var inability = []error{syscall.EPERM, syscall.EACCES, syscall.ENOMEM, syscall.ENOBUFS, syscall.EAGAIN, syscall.EINTR, syscall.EBADF}

func (t *Table) refusal(err error, deletions, additions int) error {
	for _, unable := range inability {
		if errors.Is(err, unable) {
			return fmt.Errorf("commit %d deletions and %d additions to table %s: %w", deletions, additions, tableName, err)
		}
	}
	return fmt.Errorf("%w %d deletions and %d additions to table %s: %w", errRefused, deletions, additions, tableName, err)
}

// isolate applies to the owners under suspicion in ever smaller groups, and returns those that the kernel refuses one by one. What the kernel holds
// of nobody who is accepted goes last: after a restart, Services go on being served while others are looked at.
func (t *Table) isolate() (map[string]error, error) {
	for owner, s := range t.suspects {
		t.claims.set(owner, s.before)
	}
	err := t.resync(true)
	if errors.Is(err, errRefused) {
		// What was accepted one after another is refused together.
		t.suspectAll()
		err = t.resync(true)
	}
	if err != nil {
		return nil, err
	}
	search := search{table: t, refused: map[string]error{}}
	if err := search.among(slices.Sorted(maps.Keys(t.suspects))); err != nil {
		return search.refused, err
	}
	return search.refused, t.send(false)
}

func (t *Table) suspectAll() {
	for _, owner := range slices.Collect(maps.Keys(t.claims.owned)) {
		if _, already := t.suspects[owner]; !already {
			t.suspects[owner] = suspect{want: t.claims.wants(owner)}
		}
		t.claims.set(owner, nil)
	}
	for owner, s := range t.suspects {
		t.suspects[owner] = suspect{want: s.want}
	}
}

// search for the owners that the kernel refuses.
type search struct {
	table   *Table
	refused map[string]error
	// failures are the transactions that were refused.
	failures int
}

// failuresAtOnce bounds a search: the kernel may refuse every Service for a reason that lies with itself. Each costs some 10 ms.
const failuresAtOnce = 512

// among bisects: the kernel leaves a refused transaction without a trace.
func (s *search) among(owners []string) error {
	t := s.table
	if len(owners) == 0 {
		return nil
	}
	for _, owner := range owners {
		t.claims.set(owner, t.suspects[owner].want)
	}
	err := t.send(true)
	if err == nil {
		s.settle(owners)
		return nil
	}
	if !errors.Is(err, errRefused) {
		return err
	}
	for _, owner := range owners {
		t.claims.set(owner, t.suspects[owner].before)
	}
	if len(owners) == 1 {
		s.refused[owners[0]] = err
		s.settle(owners)
		return nil
	}
	if s.failures++; s.failures > failuresAtOnce {
		return fmt.Errorf("%d transactions in a row: %w", s.failures, err)
	}
	half := len(owners) / 2
	if err := s.among(owners[:half]); err != nil {
		return err
	}
	return s.among(owners[half:])
}

func (s *search) settle(owners []string) {
	for _, owner := range owners {
		delete(s.table.suspects, owner)
	}
}
