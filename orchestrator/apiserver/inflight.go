package apiserver

import (
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// flights bounds how many requests are served at once, apart for those that read and those that write, so that a flood of one kind leaves room for
// the other and for this process's memory.
type flights struct {
	reading, mutating flight
	metrics           *metrics
}

// flight is the requests of one kind that are under way.
type flight struct {
	// limit of 0 is none.
	limit int64
	now   atomic.Int64
}

// take counts a request in; false when there is no room.
func (f *flight) take() bool {
	if n := f.now.Add(1); f.limit > 0 && n > f.limit {
		f.now.Add(-1)
		return false
	}
	return true
}

func (f *flight) leave() { f.now.Add(-1) }

// bounded refuses what exceeds the limits. Streams take no part, they would fill them; nor do questions about health, since a process that is full is
// not dead; and administrators always get an answer.
func (f *flights) bounded(next handler) handler {
	return func(v *visit) error {
		if longRunning(v.info) || isProbe(v.info) {
			return next(v)
		}
		kind := &f.mutating
		if slices.Contains([]string{"get", "list", "watch"}, v.info.Verb) {
			kind = &f.reading
		}
		if kind.take() {
			defer kind.leave()
			return next(v)
		}
		if v.user.InGroup(request.MastersGroup) {
			return next(v)
		}
		f.metrics.terminated(v, http.StatusTooManyRequests)
		v.w.Header().Set("Retry-After", "1")
		http.Error(v.w, "Too many requests, please try again later.", http.StatusTooManyRequests)
		return nil
	}
}
