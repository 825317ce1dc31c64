// Package queue decides which pending pod is tried next: by priority, then by who came first; a pod that was refused waits until something
// that can help it happens, and no pod is retried without a growing pause.
//
// scheduler feeds it pods and events. It holds three sets: active (a heap), backing off (a heap by time) and refused (until an event).
package queue

import (
	"container/heap"
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
)

// Pauses between attempts at one pod double from FirstPause to LongestPause (podInitialBackoffSeconds and podMaxBackoffSeconds of
// KubeSchedulerConfiguration); a refused pod that no event woke is tried again after Forgotten.
const (
	FirstPause   = 1 * time.Second
	LongestPause = 10 * time.Second
	Forgotten    = 5 * time.Minute
)

// Item is one pending pod.
type Item struct {
	Pod      *corev1.Pod
	Attempts int
	// Need is what may help it, set when it was refused.
	Need rules.Need

	since   time.Time
	notTill time.Time
	index   int
	where   place
	// missed collects what happens while the pod is being tried: it would otherwise be lost.
	missed rules.Change
}

type place int

const (
	active place = iota
	backingOff
	refused
	trying
)

// Queue of pending pods; safe for concurrent use.
type Queue struct {
	clock clock.WithTicker
	wake  chan struct{}

	mu      sync.Mutex
	items   map[types.UID]*Item
	active  byPriority
	backoff byTime
}

// New returns an empty Queue.
func New(c clock.WithTicker) *Queue {
	return &Queue{clock: c, wake: make(chan struct{}, 1), items: map[types.UID]*Item{}}
}

// Set adds a pending pod, or takes in its new version. changed says that the new version may be easier to place.
func (q *Queue) Set(pod *corev1.Pod, changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	item := q.items[pod.UID]
	if item == nil {
		item = &Item{Pod: pod, since: q.clock.Now()}
		q.items[pod.UID] = item
		q.activate(item)
		return
	}
	item.Pod = pod
	switch item.where {
	case active:
		heap.Fix(&q.active, item.index)
	case refused:
		if changed {
			q.release(item)
		}
	case trying:
		if changed {
			item.missed = rules.Happened(rules.Anything)
		}
	}
}

// Remove forgets a pod.
func (q *Queue) Remove(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	item := q.items[uid]
	if item == nil {
		return
	}
	delete(q.items, uid)
	switch item.where {
	case active:
		heap.Remove(&q.active, item.index)
	case backingOff:
		heap.Remove(&q.backoff, item.index)
	}
}

// Next blocks until a pod may be tried; ok is false when ctx ended. The pod stays known until Done, Refuse or Remove.
func (q *Queue) Next(ctx context.Context) (item *Item, ok bool) {
	for {
		item, wait := q.pop()
		if item != nil {
			return item, true
		}
		timer := q.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, false
		case <-q.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// pop returns the next pod, or how long nothing can become ready by itself.
func (q *Queue) pop() (*Item, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for len(q.backoff) > 0 && !q.backoff[0].notTill.After(now) {
		q.activate(heap.Pop(&q.backoff).(*Item))
	}
	if len(q.active) > 0 {
		item := heap.Pop(&q.active).(*Item)
		item.where, item.missed = trying, rules.Change{}
		item.Attempts++
		return item, 0
	}
	if len(q.backoff) > 0 {
		return nil, q.backoff[0].notTill.Sub(now)
	}
	return nil, time.Hour
}

// Done forgets a pod that was placed.
func (q *Queue) Done(item *Item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items[item.Pod.UID] == item && item.where == trying {
		delete(q.items, item.Pod.UID)
	}
}

// Refuse puts a pod aside until what it needs happens, which may have been during the attempt, or until it is forgotten.
func (q *Queue) Refuse(item *Item, need rules.Need) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items[item.Pod.UID] != item {
		return
	}
	now := q.clock.Now()
	item.Need = need
	item.where = refused
	item.notTill = now.Add(pause(item.Attempts))
	if need.HelpedBy(item.missed) {
		q.release(item)
	}
}

// pause before the next attempt.
func pause(attempts int) time.Duration {
	d := FirstPause
	for i := 1; i < attempts && d < LongestPause; i++ {
		d *= 2
	}
	return min(d, LongestPause)
}

// Happened wakes the refused pods that a change can help.
func (q *Queue) Happened(change rules.Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, item := range q.items {
		switch {
		case item.where == trying:
			item.missed = item.missed.And(change)
		case item.where == refused && item.Need.HelpedBy(change):
			q.release(item)
		}
	}
}

// ReleaseForgotten wakes refused pods that have waited for too long, whatever they wait for.
func (q *Queue) ReleaseForgotten() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for _, item := range q.items {
		if item.where == refused && now.Sub(item.notTill) > Forgotten {
			q.release(item)
		}
	}
}

// release lets a refused pod be tried again, after its pause.
func (q *Queue) release(item *Item) {
	if item.notTill.After(q.clock.Now()) {
		item.where = backingOff
		heap.Push(&q.backoff, item)
		q.signal()
		return
	}
	q.activate(item)
}

func (q *Queue) activate(item *Item) {
	item.where = active
	heap.Push(&q.active, item)
	q.signal()
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
