package queue

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
)

func pod(name string, priority int32) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Spec: corev1.PodSpec{Priority: &priority}}
}

// next fails the test when no pod is ready at once.
func next(t *testing.T, q *Queue) Attempt {
	t.Helper()
	attempt, _, ok := q.pop()
	if !ok {
		t.Fatal("no pod is ready")
	}
	return attempt
}

func TestNextIsByPriorityThenAge(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Now())
	q := New(clock, DefaultPauses)
	for _, p := range []*corev1.Pod{pod("old", 0), pod("young", 0), pod("urgent", 10)} {
		q.Set(p, false)
		clock.Step(time.Second)
	}
	for _, want := range []string{"urgent", "old", "young"} {
		if got := next(t, q).Pod.Name; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestRefusedPodWaitsForAnEventThatHelps(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Now())
	q := New(clock, DefaultPauses)
	q.Set(pod("a", 0), false)
	q.Refuse(next(t, q), rules.Need{Events: rules.PodRemoved})
	clock.Step(time.Minute)
	q.Happened(rules.Happened(rules.NodeLabels))
	if _, _, ok := q.pop(); ok {
		t.Fatal("an event that cannot help woke the pod")
	}
	q.Happened(rules.Happened(rules.PodRemoved))
	next(t, q)
}

func TestEventDuringTheAttemptIsNotLost(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Now())
	q := New(clock, DefaultPauses)
	q.Set(pod("a", 0), false)
	attempt := next(t, q)
	q.Happened(rules.Happened(rules.PodRemoved))
	q.Refuse(attempt, rules.Need{Events: rules.PodRemoved})
	if _, _, ok := q.pop(); ok {
		t.Fatal("the pod was retried without a pause")
	}
	clock.Step(DefaultPauses.First)
	next(t, q)
}

// A version that comes during the attempt does not change it; the test is one for the race detector too.
func TestAnAttemptKeepsThePodThatItBeganWith(t *testing.T) {
	q := New(testingclock.NewFakeClock(time.Now()), DefaultPauses)
	q.Set(pod("a", 0), false)
	attempt := next(t, q)
	began := attempt.Pod
	set := make(chan struct{})
	go func() {
		defer close(set)
		q.Set(pod("a", 5), true)
	}()
	if attempt.Pod != began {
		t.Error("the attempt is at another version now")
	}
	<-set
	if attempt.Pod != began {
		t.Error("the attempt is at another version now")
	}
}

func TestPausesDoubleToTheLongest(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 50: 10 * time.Second} {
		if got := DefaultPauses.after(attempts); got != want {
			t.Errorf("attempt %d: got %s, want %s", attempts, got, want)
		}
	}
}

func TestRemovedPodIsNotTried(t *testing.T) {
	q := New(testingclock.NewFakeClock(time.Now()), DefaultPauses)
	q.Set(pod("a", 0), false)
	q.Remove("a")
	if _, _, ok := q.pop(); ok {
		t.Fatal("a removed pod was handed out")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := q.Next(ctx); ok {
		t.Fatal("Next went on after its context")
	}
}

// A pod that is woken by what cannot help it pauses longer, and one of lower priority took the room (found by SCHED-007).
func TestOnlyMoreOfWhatItLacksWakesAPod(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Now())
	q := New(clock, DefaultPauses)
	q.Set(pod("urgent", 10), false)
	q.Set(pod("other", 0), false)
	for range 2 {
		q.Refuse(next(t, q), rules.Need{Events: rules.NodeAdded, Resources: []corev1.ResourceName{"gpu"}})
	}
	clock.Step(time.Minute)
	q.Happened(rules.Change{Events: rules.PodRemoved, Freed: []corev1.ResourceName{corev1.ResourceCPU}})
	q.Happened(rules.Happened(rules.PodEnding))
	if _, _, ok := q.pop(); ok {
		t.Fatal("what cannot help woke a pod")
	}
	q.Happened(rules.Change{Events: rules.PodRemoved, Freed: []corev1.ResourceName{corev1.ResourceCPU, "gpu"}})
	for _, want := range []string{"urgent", "other"} {
		if got := next(t, q).Pod.Name; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}
