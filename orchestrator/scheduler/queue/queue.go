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

// Pauses between attempts at one pod double from First to Longest (podInitialBackoffSeconds and podMaxBackoffSeconds of
// KubeSchedulerConfiguration).
type Pauses struct{ First, Longest time.Duration }

// DefaultPauses are stock's.
var DefaultPauses = Pauses{First: time.Second, Longest: 10 * time.Second}

// Forgotten is after how long a refused pod that no event woke is tried again.
const Forgotten = 5 * time.Minute

// Attempt is one try at a pod, as the pod was when it began. Versions that come meanwhile are for the next one.
type Attempt struct {
	Pod  *corev1.Pod
	item *item
}

// item is one pending pod; the Queue's mutex guards it.
type item struct {
	pod      *corev1.Pod
	attempts int
	// need is what may help it, set when it was refused.
	need rules.Need

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
	clock  clock.WithTicker
	pauses Pauses
	wake   chan struct{}

	mu      sync.Mutex
	items   map[types.UID]*item
	active  byPriority
	backoff byTime
}

// New returns an empty Queue.
func New(c clock.WithTicker, pauses Pauses) *Queue {
	return &Queue{clock: c, pauses: pauses, wake: make(chan struct{}, 1), items: map[types.UID]*item{}}
}

// Set adds a pending pod, or takes in its new version. changed says that the new version may be easier to place.
func (q *Queue) Set(pod *corev1.Pod, changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	have := q.items[pod.UID]
	if have == nil {
		have = &item{pod: pod, since: q.clock.Now()}
		q.items[pod.UID] = have
		q.activate(have)
		return
	}
	have.pod = pod
	switch have.where {
	case active:
		heap.Fix(&q.active, have.index)
	case refused:
		if changed {
			q.release(have)
		}
	case trying:
		if changed {
			have.missed = rules.Happened(rules.Anything)
		}
	}
}

// Remove forgets a pod.
func (q *Queue) Remove(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	have := q.items[uid]
	if have == nil {
		return
	}
	delete(q.items, uid)
	switch have.where {
	case active:
		heap.Remove(&q.active, have.index)
	case backingOff:
		heap.Remove(&q.backoff, have.index)
	}
}

// Next blocks until a pod may be tried; ok is false when ctx ended. The pod stays known until Done, Refuse or Remove.
func (q *Queue) Next(ctx context.Context) (attempt Attempt, ok bool) {
	for {
		attempt, wait, ok := q.pop()
		if ok {
			return attempt, true
		}
		timer := q.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return Attempt{}, false
		case <-q.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// pop begins the next attempt, or tells for how long nothing can become ready by itself.
func (q *Queue) pop() (attempt Attempt, wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for len(q.backoff) > 0 && !q.backoff[0].notTill.After(now) {
		q.activate(heap.Pop(&q.backoff).(*item))
	}
	if len(q.active) > 0 {
		next := heap.Pop(&q.active).(*item)
		next.where, next.missed = trying, rules.Change{}
		next.attempts++
		return Attempt{Pod: next.pod, item: next}, 0, true
	}
	if len(q.backoff) > 0 {
		return Attempt{}, q.backoff[0].notTill.Sub(now), false
	}
	return Attempt{}, time.Hour, false
}

// Done forgets a pod that was placed.
func (q *Queue) Done(a Attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items[a.Pod.UID] == a.item && a.item.where == trying {
		delete(q.items, a.Pod.UID)
	}
}

// Refuse puts a pod aside until what it needs happens, which may have been during the attempt, or until it is forgotten.
func (q *Queue) Refuse(a Attempt, need rules.Need) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items[a.Pod.UID] != a.item {
		return
	}
	now := q.clock.Now()
	a.item.need = need
	a.item.where = refused
	a.item.notTill = now.Add(q.pauses.after(a.item.attempts))
	if need.HelpedBy(a.item.missed) {
		q.release(a.item)
	}
}

// after is the pause that follows so many attempts.
func (p Pauses) after(attempts int) time.Duration {
	d := p.First
	for i := 1; i < attempts && d < p.Longest; i++ {
		d *= 2
	}
	return min(d, p.Longest)
}

// Happened wakes the refused pods that a change can help.
func (q *Queue) Happened(change rules.Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, i := range q.items {
		switch {
		case i.where == trying:
			i.missed = i.missed.And(change)
		case i.where == refused && i.need.HelpedBy(change):
			q.release(i)
		}
	}
}

// ReleaseForgotten wakes refused pods that have waited for too long, whatever they wait for.
func (q *Queue) ReleaseForgotten() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for _, i := range q.items {
		if i.where == refused && now.Sub(i.notTill) > Forgotten {
			q.release(i)
		}
	}
}

// release lets a refused pod be tried again, after its pause.
func (q *Queue) release(i *item) {
	if i.notTill.After(q.clock.Now()) {
		i.where = backingOff
		heap.Push(&q.backoff, i)
		q.signal()
		return
	}
	q.activate(i)
}

func (q *Queue) activate(i *item) {
	i.where = active
	heap.Push(&q.active, i)
	q.signal()
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
