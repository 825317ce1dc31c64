package leader

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
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
