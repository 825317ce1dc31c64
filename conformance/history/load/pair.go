package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
)

// dataKey holds the value in a ConfigMap.
const dataKey = "value"

// write alternates between a new record and the next register.
func (l *Load) write(ctx context.Context, path string, maps typedv1.ConfigMapInterface) {
	every(ctx, func(n int) {
		value := fmt.Sprintf("%s.%d", path, n)
		call := history.Call{Op: history.Create, Key: fmt.Sprintf("record-%s-%d", path, n), Value: value}
		if n%2 == 1 {
			call = history.Call{Op: history.Put, Key: register(n / 2), Value: value}
		}
		l.do(ctx, path, call, maps)
	})
}

// read alternates between a read that must be current and one at the newest version that any client knows.
func (l *Load) read(ctx context.Context, path string, maps typedv1.ConfigMapInterface) {
	every(ctx, func(n int) {
		call := history.Call{Op: history.Get, Key: register(n / 2)}
		if n%2 == 1 {
			call.Op, call.At = history.GetAt, l.known()
		}
		l.do(ctx, path, call, maps)
	})
}

// Burst makes n writes and n reads that must be current through one path, all at the same time, and returns when each has its outcome: where calls
// hang, the load's own come one after another, and are few.
func (l *Load) Burst(ctx context.Context, path string, n int) {
	l.mu.Lock()
	l.bursts++
	name := fmt.Sprintf("burst-%d-%s", l.bursts, path)
	l.mu.Unlock()
	maps := l.paths[path].CoreV1().ConfigMaps(l.namespace)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			l.do(ctx, path, history.Call{Op: history.Create, Key: fmt.Sprintf("record-%s-%d", name, i), Value: fmt.Sprintf("%s.%d", name, i)}, maps)
		})
		all.Go(func() { l.do(ctx, path, history.Call{Op: history.Get, Key: register(i)}, maps) })
	}
	all.Wait()
}

// every calls do at the load's pace until ctx ends, one after another.
func every(ctx context.Context, do func(n int)) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		do(n)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (l *Load) known() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest
}

// do makes one call and records it. A call that has begun runs to its own time limit: ctx ends the load between calls.
func (l *Load) do(ctx context.Context, client string, c history.Call, maps typedv1.ConfigMapInterface) history.Call {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget.Call.Limit())
	defer cancel()
	l.mu.Lock()
	c.Client, c.Phase, c.Begin = client, l.phase, time.Since(l.start).Truncate(time.Microsecond)
	l.mu.Unlock()
	found, err := send(ctx, c, maps)
	c.End = time.Since(l.start).Truncate(time.Microsecond) + time.Microsecond // whole microseconds are kept: a call may seem longer, never shorter
	if c.Outcome = outcomeOf(err); err != nil {
		c.Error = err.Error()
	}
	if found != nil && c.Outcome == history.OK {
		c.Value = found.Data[dataKey]
		if c.Version, err = version(found.ResourceVersion); err != nil {
			c.Outcome, c.Error = history.Unknown, err.Error()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = max(l.newest, c.Version)
	l.history.Calls = append(l.history.Calls, c)
	return c
}

// send makes the request. A key that does not exist is found empty: nil without an error.
func send(ctx context.Context, c history.Call, maps typedv1.ConfigMapInterface) (*corev1.ConfigMap, error) {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: c.Key}, Data: map[string]string{dataKey: c.Value}}
	var found *corev1.ConfigMap
	var err error
	switch c.Op {
	case history.Create:
		return maps.Create(ctx, object, metav1.CreateOptions{})
	case history.Put:
		return maps.Update(ctx, object, metav1.UpdateOptions{})
	case history.GetAt:
		found, err = maps.Get(ctx, c.Key, metav1.GetOptions{ResourceVersion: strconv.FormatInt(c.At, 10)})
	default:
		found, err = maps.Get(ctx, c.Key, metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// outcomeOf tells failures that changed nothing - nobody was reached, or the request was refused - from those that leave it open.
func outcomeOf(err error) history.Outcome {
	var dial *net.OpError
	switch {
	case err == nil:
		return history.OK
	case errors.As(err, &dial) && dial.Op == "dial":
		return history.Failed
	case apierrors.IsTooManyRequests(err), apierrors.IsConflict(err), apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsInvalid(err):
		return history.Failed
	}
	return history.Unknown
}

func version(text string) (int64, error) {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("resourceVersion %q is no number", text)
	}
	return v, nil
}
