package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// small is a scheduler of one node with room for one pod.
func small(client *fake.Clientset) *Scheduler {
	s := New(Config{Client: client, Logger: slog.New(slog.DiscardHandler)})
	s.recorders = map[string]record.EventRecorder{corev1.DefaultSchedulerName: &record.FakeRecorder{}}
	room := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1"), corev1.ResourceCPU: resource.MustParse("1")}
	s.setNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Status: corev1.NodeStatus{Allocatable: room, Capacity: room}})
	return s
}

func pending(version string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "p", UID: "1", ResourceVersion: version},
		Spec:       corev1.PodSpec{SchedulerName: corev1.DefaultSchedulerName},
	}
}

// attempt lets the scheduler try the next pod, and waits for what it writes.
func attempt(ctx context.Context, t *testing.T, s *Scheduler) {
	t.Helper()
	next, ok := s.queue.Next(t.Context())
	if !ok {
		t.Fatal("no pod is waiting")
	}
	var working sync.WaitGroup
	s.schedule(ctx, next, &working)
	working.Wait()
}

func TestAPodDecidedWhenTheTermEndsIsTriedInTheNextTerm(t *testing.T) {
	s := small(fake.NewClientset(pending("1")))
	s.podChanged(nil, pending("1"))
	ended, end := context.WithCancel(t.Context())
	end()
	attempt(ended, t, s)
	if s.state.Placed("1") != nil {
		t.Fatal("the pod still counts as placed although nothing was written")
	}
	attempt(t.Context(), t, s)
	if s.state.Placed("1") == nil {
		t.Fatal("not placed in the next term")
	}
}

func TestALostAnswerDoesNotFreeTheRoomOfABoundPod(t *testing.T) {
	client := fake.NewClientset(pending("1"))
	s := small(client)
	client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		bound := pending("2")
		bound.Spec.NodeName = "n"
		s.podChanged(pending("1"), bound) // the write was done, and seen, before its answer was lost
		return true, nil, errors.New("connection reset")
	})
	s.podChanged(nil, pending("1"))
	attempt(t.Context(), t, s)
	if s.state.Placed("1") == nil {
		t.Fatal("the room of a bound pod is given away")
	}
}

// Somebody labels the pod while its binding is under way, and the binding fails: nothing may be left of the assumption.
func TestAFailedBindingLeavesNoGhostOfAPodThatChangedMeanwhile(t *testing.T) {
	client := fake.NewClientset(pending("1"))
	s := small(client)
	failed := false
	client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		if failed {
			return false, nil, nil
		}
		failed = true
		labelled := pending("2")
		labelled.Labels = map[string]string{"a": "b"}
		s.podChanged(pending("1"), labelled)
		return true, nil, errors.New("no quorum")
	})
	s.podChanged(nil, pending("1"))
	attempt(t.Context(), t, s)
	if s.state.Placed("1") != nil {
		t.Fatal("a pod that is bound to no node takes room")
	}
	attempt(t.Context(), t, s)
	if s.state.Placed("1") == nil {
		t.Fatal("the pod does not fit beside its own ghost")
	}
}

// The nomination is written after the decision: what is seen of the pod until then does not have it.
func TestAnEventBeforeTheNominationIsWrittenDoesNotEndIt(t *testing.T) {
	s := small(fake.NewClientset())
	nominated := func() int { return len(s.state.NominatedOver(state.NewPod(&corev1.Pod{}), "n")) }
	s.podChanged(nil, pending("1"))
	s.state.Nominate(state.NewPod(pending("1")), "n")
	s.podChanged(pending("1"), pending("2"))
	if nominated() != 1 {
		t.Error("the room that the victims leave is given to others")
	}
	written := pending("3")
	written.Status.NominatedNodeName = "n"
	s.podChanged(pending("2"), written)
	s.podChanged(written, pending("4"))
	if nominated() != 0 {
		t.Error("a nomination that was taken away is kept")
	}
}
