package loop

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
)

// A new leader's caches are full: nothing is left to wait for but that its handlers are told.
func TestALoopOverFullCachesBeginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		factory := informers.NewSharedInformerFactory(fake.NewClientset(&core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "a"}}), 0)
		pods := factory.Core().V1().Pods().Informer()
		factory.Start(ctx.Done())
		defer factory.Shutdown()
		factory.WaitForCacheSync(ctx.Done())
		began, synced := time.Now(), make(chan time.Duration, 1)
		l := New(ctx, 1, slog.New(slog.DiscardHandler), func(context.Context, string) error {
			synced <- time.Since(began)
			return nil
		})
		Keys[core.Pod](l, pods)
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		if took := <-synced; took != 0 {
			t.Errorf("the first sync began after %v", took)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A controller whose term ends while it still waits for its caches never runs its loop.
func TestALoopThatNeverRanEndsWithItsContext(t *testing.T) {
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	l := New(ctx, 1, slog.New(slog.DiscardHandler), nil)
	l.Add("n/a")
	cancel()
	goleak.VerifyNone(t, before)
}
