package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// fanOut lets watchers hear of changes to one object and returns how many events were delivered per second of the servers' processor time.
func (l *loader) fanOut(ctx context.Context, watchers, changes int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	first, err := l.client.CoreV1().ConfigMaps(l.namespace).Get(ctx, object(0), metav1.GetOptions{})
	if err != nil {
		return 0, err
	}
	var heard atomic.Int64
	var all sync.WaitGroup
	open := make([]watch.Interface, 0, watchers)
	defer func() {
		for _, w := range open {
			w.Stop()
		}
		all.Wait()
	}()
	done, want := make(chan struct{}), int64(watchers*changes)
	for range watchers {
		w, err := l.client.CoreV1().ConfigMaps(l.namespace).Watch(ctx, metav1.ListOptions{
			FieldSelector: "metadata.name=" + object(0), ResourceVersion: first.ResourceVersion,
		})
		if err != nil {
			return 0, err
		}
		open = append(open, w)
		all.Go(func() {
			for event := range w.ResultChan() {
				if event.Type == watch.Modified && heard.Add(1) == want {
					close(done)
				}
			}
		})
	}
	return l.rate(watchers*changes, func() error {
		for i := range changes {
			if err := l.patchFirst(ctx, i); err != nil {
				return err
			}
		}
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("%d of %d events within %v: %w", heard.Load(), want, patience.Round(time.Second), io.ErrUnexpectedEOF)
		}
	})
}

// patchFirst makes one change that differs from every other.
func (l *loader) patchFirst(ctx context.Context, i int) error {
	_, err := l.client.CoreV1().ConfigMaps(l.namespace).Patch(ctx, object(0), "application/merge-patch+json", fmt.Appendf(nil, `{"data":{"change":"%d"}}`, i), metav1.PatchOptions{})
	return err
}
