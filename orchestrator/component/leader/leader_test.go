package leader

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	leases "k8s.io/client-go/kubernetes/typed/coordination/v1"
	clienttesting "k8s.io/client-go/testing"
)

func config(client *fake.Clientset, identity string) Config {
	return Config{
		Namespace: "kube-system", Name: "x", Identity: identity, Leases: client.CoordinationV1(), Logger: slog.New(slog.DiscardHandler),
		LeaseDuration: 600 * time.Millisecond, RenewDeadline: 400 * time.Millisecond, RetryPeriod: 50 * time.Millisecond,
	}
}

// campaign runs a candidate; its channel tells when it leads.
func campaign(ctx context.Context, cfg Config) (leads chan context.Context, done chan error) {
	leads, done = make(chan context.Context, 8), make(chan error, 1)
	go func() {
		done <- Run(ctx, cfg, func(ctx context.Context) error {
			leads <- ctx
			<-ctx.Done()
			return nil
		})
	}()
	return leads, done
}

func TestOneLeadsAndTheNextFollowsItsRelease(t *testing.T) {
	client := fake.NewClientset()
	firstCtx, resign := context.WithCancel(t.Context())
	defer resign()
	first, firstDone := campaign(firstCtx, config(client, "a"))
	<-first
	second, _ := campaign(t.Context(), config(client, "b"))
	select {
	case <-second:
		t.Fatal("two lead at the same time")
	case <-time.After(time.Second): // longer than the lease: renewals keep the second out
	}
	resign()
	if err := <-firstDone; err != nil {
		t.Fatal(err)
	}
	<-second
}

func TestALeaderThatCannotRenewStepsDownAtItsDeadlineAndStandsAgain(t *testing.T) {
	client := fake.NewClientset()
	var broken atomic.Bool
	client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return broken.Load(), nil, errors.New("unreachable")
	})
	leads, _ := campaign(t.Context(), config(client, "a"))
	term := <-leads
	broken.Store(true)
	<-term.Done()
	broken.Store(false)
	<-leads
}

func TestARenewalWithoutAnAnswerIsTriedAgainInTime(t *testing.T) {
	client := fake.NewClientset()
	var hang, hung atomic.Bool
	client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		if hang.CompareAndSwap(true, false) {
			hung.Store(true)
			return true, nil, context.DeadlineExceeded // the fake knows no context: this is what an attempt that ended without an answer returns
		}
		return false, nil, nil
	})
	cfg := config(client, "a")
	leads, _ := campaign(t.Context(), cfg)
	term := <-leads
	hang.Store(true)
	select {
	case <-term.Done():
		t.Error("stepped down after one renewal without an answer")
	case <-time.After(cfg.LeaseDuration + cfg.RenewDeadline):
	}
	if !hung.Load() {
		t.Error("no renewal was lost")
	}
}

// On a machine that is slow every renewal may be done, and its answer come too late: the next read of the Lease shows it.
func TestARenewalWhoseAnswerWasLostCountsOnceItIsRead(t *testing.T) {
	client := fake.NewClientset()
	var deaf atomic.Bool
	client.PrependReactor("update", "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if !deaf.Load() {
			return false, nil, nil
		}
		update := action.(clienttesting.UpdateAction)
		if err := client.Tracker().Update(update.GetResource(), update.GetObject(), update.GetNamespace()); err != nil {
			return true, nil, err
		}
		return true, nil, context.DeadlineExceeded
	})
	cfg := config(client, "a")
	leads, _ := campaign(t.Context(), cfg)
	term := <-leads
	deaf.Store(true)
	select {
	case <-term.Done():
		t.Error("stepped down although every renewal was done")
	case <-time.After(cfg.LeaseDuration + 2*cfg.RenewDeadline):
	}
}

func TestACandidateThatSeesThatItsAttemptWasDoneAfterAllWaitsForNobody(t *testing.T) {
	client := fake.NewClientset(&coordination.Lease{ObjectMeta: meta.ObjectMeta{Namespace: "kube-system", Name: "x"}})
	watched, attempts := make(chan struct{}), make(chan clienttesting.UpdateAction, 1)
	var once sync.Once
	client.PrependReactor("update", "leases", func(action clienttesting.Action) (lost bool, _ runtime.Object, err error) {
		once.Do(func() { attempts <- action.(clienttesting.UpdateAction); lost, err = true, context.DeadlineExceeded })
		return lost, nil, err
	})
	var first sync.Once
	client.PrependWatchReactor("leases", func(action clienttesting.Action) (bool, watch.Interface, error) {
		w, err := client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		first.Do(func() { close(watched) })
		return true, w, err
	})
	cfg := config(client, "a")
	cfg.LeaseDuration, cfg.RetryPeriod, cfg.RenewDeadline = 3*time.Hour, time.Hour, 2*time.Hour
	leads, _ := campaign(t.Context(), cfg)
	attempt := <-attempts
	<-watched
	if err := client.Tracker().Update(attempt.GetResource(), attempt.GetObject(), attempt.GetNamespace()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-leads:
	case <-time.After(30 * time.Second):
		t.Error("it waits for its own Lease to end")
	}
}

// A Lease that nobody else holds, and that cannot be written, is no reason to try without a pause.
func TestACandidateThatIsRefusedWaitsBeforeItTriesAgain(t *testing.T) {
	for _, holder := range []string{"", "a"} {
		t.Run("held by "+strconv.Quote(holder), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lease := &coordination.Lease{ObjectMeta: meta.ObjectMeta{Namespace: "kube-system", Name: "x"}, Spec: coordination.LeaseSpec{HolderIdentity: &holder}}
				client := fake.NewClientset(lease)
				var attempts atomic.Int32
				client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
					attempts.Add(1)
					return true, nil, errors.New("forbidden")
				})
				client.PrependWatchReactor("leases", func(clienttesting.Action) (bool, watch.Interface, error) {
					w := watch.NewRaceFreeFake()
					w.Add(lease) // what a watch without a version begins with
					return true, w, nil
				})
				ctx, cancel := context.WithCancel(t.Context())
				cfg := config(client, "a")
				_, done := campaign(ctx, cfg)
				const periods = 10
				<-time.After(periods*cfg.RetryPeriod + cfg.RetryPeriod/2)
				if n := attempts.Load(); n != periods+1 {
					t.Errorf("%d attempts in %d periods", n, periods)
				}
				cancel()
				<-done
			})
		})
	}
}

// deaf is an API whose watches never begin, as those of an apiserver that is paused.
type deaf struct{ leases.LeasesGetter }

type deafLeases struct{ leases.LeaseInterface }

func (d deaf) Leases(namespace string) leases.LeaseInterface {
	return deafLeases{d.LeasesGetter.Leases(namespace)}
}

func (deafLeases) Watch(ctx context.Context, _ meta.ListOptions) (watch.Interface, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestACandidateWhoseWatchNeverBeginsTakesTheLeaseInTime(t *testing.T) {
	dead := "dead"
	client := fake.NewClientset(&coordination.Lease{
		ObjectMeta: meta.ObjectMeta{Namespace: "kube-system", Name: "x"}, Spec: coordination.LeaseSpec{HolderIdentity: &dead},
	})
	cfg := config(client, "a")
	cfg.Leases = deaf{client.CoordinationV1()}
	leads, _ := campaign(t.Context(), cfg)
	<-leads
}

// A renewal that was held up counts from when it was made, by the holder's own clock; a clock that was set is not believed.
func TestARenewalThatWasHeldUpDoesNotCountFromItsArrival(t *testing.T) {
	record := func(holder string, at time.Duration) *coordination.Lease {
		stamp := meta.NewMicroTime(time.Unix(5000, 0).Add(at)) // another machine's clock
		return &coordination.Lease{Spec: coordination.LeaseSpec{HolderIdentity: &holder, RenewTime: &stamp}}
	}
	seen := time.Unix(1000, 0)
	for _, row := range []struct {
		name            string
		holder          string
		renewed         time.Duration // by the holder's clock, after the record before
		arrives, counts time.Duration // by ours, after that was seen
	}{
		{"at once", "a", 50 * time.Millisecond, 60 * time.Millisecond, 50 * time.Millisecond},
		{"held up", "a", 50 * time.Millisecond, 700 * time.Millisecond, 50 * time.Millisecond},
		{"the one before was held up", "a", 500 * time.Millisecond, 60 * time.Millisecond, 60 * time.Millisecond},
		{"its clock was set back", "a", -time.Minute, 60 * time.Millisecond, 60 * time.Millisecond},
		{"its clock was set back a little", "a", 10 * time.Millisecond, 60 * time.Millisecond, 60 * time.Millisecond},
		{"its clock was set forward", "a", time.Minute, 60 * time.Millisecond, 60 * time.Millisecond},
		{"another holder", "b", 50 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &candidate{Config: config(fake.NewClientset(), "me"), lease: record("a", 0), seen: seen}
			if got := c.writtenBy(record(row.holder, row.renewed), seen.Add(row.arrives)).Sub(seen); got != row.counts {
				t.Errorf("counts from %s, want %s", got, row.counts)
			}
		})
	}
}
