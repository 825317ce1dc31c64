// Package store is keys, bytes and revisions: the durable state of a cluster and nothing about what the bytes mean.
//
// It is fed by the apiserver (through its objects package) and feeds the watch cache. store/etcd keeps the data in an etcd cluster,
// store/memory in this process; store/storetest is the one suite that both pass. It imports nothing of ours and never decodes a value.
//
// Invariants, each with a test in storetest:
//   - Revisions are those of the whole store: every committed write has a larger one than all before it.
//   - An acknowledged write is durable: a Store returns from a write only after it is committed.
//   - Get, and List without a revision, are linearizable.
//   - Follow delivers every event of its prefix after a revision once, in order, or ends with ErrCompacted.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNotFound: the key has no value at the revision that was read.
	ErrNotFound = errors.New("store: key not found")
	// ErrCompacted: the revision asked for is older than the oldest one kept.
	ErrCompacted = errors.New("store: revision compacted")
	// ErrFutureRevision: the revision asked for has not been committed yet.
	ErrFutureRevision = errors.New("store: revision not committed yet")
)

// ConflictError reports a write whose expectation did not hold. Nothing was written.
type ConflictError struct {
	Key string
	// Current is what the key held when the write failed; Current.ModRevision is 0 when it held nothing.
	Current Entry
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("store: %s is at revision %d", e.Key, e.Current.ModRevision)
}

// Entry is one key with its value.
type Entry struct {
	Key   string
	Value []byte
	// ModRevision is the revision of the write that put Value there.
	ModRevision int64
}

// Page is one answer to List.
type Page struct {
	// Entries stand in ascending order of key.
	Entries []Entry
	// Revision is the one the whole page was read at.
	Revision int64
	// More is true when keys of the prefix follow the last entry.
	More bool
	// Remaining counts those keys.
	Remaining int64
}

// ListOptions narrow a List. The zero value reads everything, now.
type ListOptions struct {
	// Revision reads the past: 0 is now.
	Revision int64
	// Limit bounds the entries of a page: 0 is no bound.
	Limit int64
	// After starts behind this key (exclusive); empty starts at the prefix.
	After string
}

// Put is one write of a batch.
type Put struct {
	Key   string
	Value []byte
	// TTL ends the key's life this long after the write: 0 keeps it. Stores may round up to seconds.
	TTL time.Duration
}

// Event is one committed change of one key.
type Event struct {
	Key string
	// Value is what the key holds now: nil after a deletion.
	Value []byte
	// Previous is what it held before: nil for a creation, or when the store no longer has it.
	Previous []byte
	// Revision is the one of the commit.
	Revision int64
	// Created is true when the key did not exist before.
	Created bool
	// Deleted is true when the key is gone (deleted, or its TTL ended).
	Deleted bool
}

// Batch is what Follow hands over at once: the events of whole commits, never a part of one.
type Batch struct {
	Events []Event
	// Revision: every event up to and including it has been delivered. A batch without events is a progress notification.
	Revision int64
}

// Store is a linearizable, revisioned map from keys to bytes. All methods are safe for concurrent use.
type Store interface {
	// Get returns the current entry, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// List returns the entries whose keys begin with prefix. ErrCompacted, ErrFutureRevision concern opts.Revision.
	List(ctx context.Context, prefix string, opts ListOptions) (Page, error)
	// Create writes a key that must not exist and returns the new revision, or a *ConflictError.
	Create(ctx context.Context, put Put) (int64, error)
	// Update writes a key whose ModRevision must be expected and returns the new revision, or a *ConflictError.
	Update(ctx context.Context, put Put, expected int64) (int64, error)
	// Delete removes a key whose ModRevision must be expected and returns the revision of the removal, or a *ConflictError.
	Delete(ctx context.Context, key string, expected int64) (int64, error)
	// CreateMissing creates, in as few transactions as it can, those of the puts whose keys do not exist. It returns the number created.
	CreateMissing(ctx context.Context, puts []Put) (int, error)
	// Revision is a linearizable read of the newest revision.
	Revision(ctx context.Context) (int64, error)
	// Compact forgets what was before revision. Compacting what is compacted already is no error.
	Compact(ctx context.Context, revision int64) error
	// Follow calls deliver with everything under prefix that is committed after the given revision, until ctx ends (it returns ctx's error),
	// deliver fails (it returns that error), the revision is compacted (ErrCompacted) or the source breaks (any other error: call again
	// with the last delivered revision). deliver is never called concurrently.
	Follow(ctx context.Context, prefix string, after int64, deliver func(Batch) error) error
	// RequestProgress asks that every Follow soon delivers a batch whose Revision is at least the store's revision at this call.
	RequestProgress(ctx context.Context) error
}
