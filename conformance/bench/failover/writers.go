package failover

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// The load: writers with a connection each, every one of which begins a write each period, whatever has become of those before: as many may wait
// for an answer as begin before the first of them is given up. With fewer, what a dead leader took with it kept a writer from noticing that it was
// served again. With two and a half times as many writes nothing was idle on two processors that carried two clusters: the figures were the machine's.
const (
	writers      = 4
	writePeriod  = 25 * time.Millisecond
	writeTimeout = 5 * time.Second
	outstanding  = int(writeTimeout / writePeriod)
	// objects is how many a writer writes to in turn.
	objects = 16
)

// load is the writers at work and what was acknowledged to each.
type load struct {
	// quit is closed when no write is to begin any more, stop ends those that wait for an answer.
	quit    chan struct{}
	ending  sync.Once
	stop    context.CancelFunc
	working sync.WaitGroup

	mu           sync.Mutex
	acknowledged [writers][]time.Time
	ended        []write
	failed       int
	lastError    error
}

// write is one that was acknowledged or has failed.
type write struct{ begun, ended time.Time }

// startLoad makes what is written to, and begins. A machine that is busy may refuse one or the other request.
func startLoad(ctx context.Context, s *side) (*load, error) {
	// Writes that fail are counted, and the last one's error is kept: client-go would tell of each.
	ctx, stop := context.WithCancel(klog.NewContext(ctx, klog.Logger{}))
	l := &load{quit: make(chan struct{}), stop: stop}
	for w := range writers {
		client, err := separate(s.config)
		if err != nil {
			stop()
			return nil, err
		}
		for i := range objects {
			made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: written(w, i)}}
			err := until(ctx, func(ctx context.Context) (bool, error) {
				_, err := client.CoreV1().ConfigMaps(s.namespace).Create(ctx, made, metav1.CreateOptions{})
				return err == nil || apierrors.IsAlreadyExists(err), err
			})
			if err != nil {
				stop()
				return nil, fmt.Errorf("prepare the load: %w", err)
			}
		}
		l.working.Go(func() { l.write(ctx, w, client, s.namespace) })
	}
	return l, nil
}

// separate is a client with a connection of its own: client-go shares transports between equal configurations, but for those with a dialer.
func separate(config *rest.Config) (kubernetes.Interface, error) {
	own := rest.CopyConfig(config)
	own.Dial = newDialer().DialContext
	own.Timeout = writeTimeout
	client, err := kubernetes.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("client of the load: %w", err)
	}
	return client, nil
}

func written(writer, object int) string { return fmt.Sprintf("written-%d-%d", writer, object) }

// write begins a write every period until the load is ended.
func (l *load) write(ctx context.Context, writer int, client kubernetes.Interface, namespace string) {
	ticker := time.NewTicker(writePeriod)
	defer ticker.Stop()
	var under sync.WaitGroup
	defer under.Wait()
	slots := make(chan struct{}, outstanding)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-l.quit:
			return
		case <-ticker.C:
		}
		select {
		case slots <- struct{}{}:
		default:
			continue // too many wait for an answer already
		}
		under.Go(func() {
			defer func() { <-slots }()
			begun := time.Now()
			patch := fmt.Appendf(nil, `{"data":{"n":"%d"}}`, n)
			_, err := client.CoreV1().ConfigMaps(namespace).Patch(ctx, written(writer, n%objects), types.MergePatchType, patch, metav1.PatchOptions{})
			l.note(ctx, writer, begun, err)
		})
	}
}

func (l *load) note(ctx context.Context, writer int, begun time.Time, err error) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, write{begun, now})
	switch {
	case err == nil:
		l.acknowledged[writer] = append(l.acknowledged[writer], now)
	case ctx.Err() == nil:
		l.failed++
		l.lastError = err
	}
}

// lastAnswers is how long the load's last writes may take: those that a dead leader took with it are never answered.
const lastAnswers = time.Second

// end stops the writers.
func (l *load) end() {
	l.ending.Do(func() { close(l.quit) })
	late := time.AfterFunc(lastAnswers, l.stop)
	defer late.Stop()
	l.working.Wait()
	l.stop()
}

// allSince tells whether every writer has had a write acknowledged after a moment.
func (l *load) allSince(moment time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, acknowledged := range l.acknowledged {
		if len(acknowledged) == 0 || !acknowledged[len(acknowledged)-1].After(moment) {
			return false
		}
	}
	return true
}

// slowestSince is how long the slowest write took of those begun after a moment; one that end cut short took until then.
func (l *load) slowestSince(moment time.Time) (slowest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.ended {
		if w.begun.After(moment) {
			slowest = max(slowest, w.ended.Sub(w.begun))
		}
	}
	return slowest
}

// gaps are the longest times without an acknowledged write: of the writer that fared worst, and of all writers together.
func (l *load) gaps(after, end time.Time) (worst, together time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []time.Time
	for _, acknowledged := range l.acknowledged {
		worst = max(worst, longestGap(acknowledged, after, end))
		all = append(all, acknowledged...)
	}
	return worst, longestGap(all, after, end)
}
