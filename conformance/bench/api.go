package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// How much is asked for; Config.Scale divides it.
const (
	objects   = 5000
	gets      = 5000
	patches   = 2000
	lists     = 10
	watchers  = 200
	changes   = 500
	clients   = 16
	textBytes = 1000
)

// api loads the API with one kind of request after another. The objects are ConfigMaps: no controller works for them.
func api(ctx context.Context, cfg Config, s *side) (sample, error) {
	got := sample{}
	err := s.in(ctx, func(namespace string) error {
		n, load := objects/cfg.Scale, loader{side: s, namespace: namespace}
		for i, part := range []struct {
			name  string
			count int
			do    func(context.Context, int) error
		}{
			{"create", n, load.create},
			{"get", gets / cfg.Scale, func(ctx context.Context, i int) error { return load.get(ctx, i%n) }},
			{"patch", patches / cfg.Scale, func(ctx context.Context, i int) error { return load.patch(ctx, i%n) }},
			{fmt.Sprintf("list of %d", n), lists, load.list},
		} {
			rate, err := s.rate(part.count, func() error { return spread(ctx, part.count, part.do) })
			if err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			got[measure{name: part.name, unit: "requests per CPU second", goal: goal{atLeast: 1}, order: 30 + i}] = rate
		}
		w, c := max(watchers/cfg.Scale, 1), max(changes/cfg.Scale, 1)
		rate, err := load.fanOut(ctx, w, c)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		got[measure{name: fmt.Sprintf("watch fan-out %dx%d", w, c), unit: "events per CPU second", goal: goal{atLeast: 1}, order: 40}] = rate
		return nil
	})
	return got, err
}

// rate is how many of n were served per second of the servers' processor time.
func (s *side) rate(n int, do func() error) (float64, error) {
	before, err := s.spent()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := s.spent()
	if err != nil {
		return 0, err
	}
	return float64(n) / max(after-before, tick).Seconds(), nil
}

// spread does n things, some at the same time; the first error ends it.
func spread(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}

// loader makes the requests.
type loader struct {
	*side
	namespace string
}

func object(i int) string { return fmt.Sprintf("object-%05d", i) }

func (l *loader) create(ctx context.Context, i int) error {
	_, err := l.client.CoreV1().ConfigMaps(l.namespace).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: object(i), Labels: map[string]string{"bench": "yes"}}, Data: map[string]string{"text": strings.Repeat("x", textBytes)},
	}, metav1.CreateOptions{})
	return err
}

func (l *loader) get(ctx context.Context, i int) error {
	_, err := l.client.CoreV1().ConfigMaps(l.namespace).Get(ctx, object(i), metav1.GetOptions{})
	return err
}

func (l *loader) patch(ctx context.Context, i int) error {
	patch := fmt.Appendf(nil, `{"data":{"count":"%d"}}`, i)
	_, err := l.client.CoreV1().ConfigMaps(l.namespace).Patch(ctx, object(i), types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return err
}

// list reads all of the objects and does not decode them: only the server's work counts.
func (l *loader) list(ctx context.Context, _ int) error {
	_, err := l.client.CoreV1().RESTClient().Get().Namespace(l.namespace).Resource("configmaps").DoRaw(ctx)
	return err
}
