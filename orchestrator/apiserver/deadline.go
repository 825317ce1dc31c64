package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Limits bound what clients may ask of this process at once, and how long they may take. What is zero has its default, or no limit.
type Limits struct {
	// Reading and Mutating requests that are served at the same time, but for long-running ones (stock's --max-requests-inflight and
	// --max-mutating-requests-inflight): 0 is no limit.
	Reading, Mutating int
	// Request bounds every request that is no stream, its body and its answer included (stock's --request-timeout): 0 is a minute.
	Request time.Duration
	// Stall is how long the client of a stream may leave what it is sent unread: 0 is half a minute.
	Stall time.Duration
}

const (
	defaultRequest = time.Minute
	defaultStall   = 30 * time.Second
	// parting is how long a request whose time is over may take to say so.
	parting = 5 * time.Second
)

func (l Limits) withDefaults() Limits {
	if l.Request == 0 {
		l.Request = defaultRequest
	}
	if l.Stall == 0 {
		l.Stall = defaultStall
	}
	return l
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// timed bounds a request's time: that of a stream by how long a client may leave it unread, that of all others as a whole. A handler that reads a
// body or writes an answer knows no context, so the connection itself must fail.
func (c *chain) timed(next handler) handler {
	return func(v *visit) error {
		if longRunning(v.info) {
			v.w.stall = &stall{limit: c.limits.Stall, cut: func() { _ = v.w.connection.SetWriteDeadline(past) }}
			defer v.w.finish(c.limits.Stall)
			return next(v)
		}
		limit, err := timeLimit(v.r, c.limits.Request)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(v.r.Context(), limit)
		defer cancel()
		over := &overtime{ctx: ctx, connection: v.w.connection}
		stop := context.AfterFunc(ctx, over.cut)
		defer over.end(stop)
		if v.r.ProtoMajor == 1 { // the end of the answer is written after all handlers
			_ = v.w.connection.SetWriteDeadline(v.started.Add(limit + parting))
		}
		v.r = v.r.WithContext(ctx)
		return next(v)
	}
}

// timeLimit is what ?timeout= asks for, within the server's own.
func timeLimit(r *http.Request, most time.Duration) (time.Duration, error) {
	asked := r.URL.Query().Get("timeout")
	if asked == "" {
		return most, nil
	}
	limit, err := time.ParseDuration(asked)
	if err != nil {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("invalid timeout specified in the request URL - %v", err))
	}
	if limit <= 0 || limit > most {
		return most, nil
	}
	return limit, nil
}

// overtime ends the reading and writing of a request whose time is over. A connection must not be touched once its handler has returned.
type overtime struct {
	ctx        context.Context
	connection *http.ResponseController

	mu    sync.Mutex
	ended bool
}

func (o *overtime) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || !errors.Is(o.ctx.Err(), context.DeadlineExceeded) {
		return
	}
	_ = o.connection.SetReadDeadline(past)
	_ = o.connection.SetWriteDeadline(time.Now().Add(parting))
}

func (o *overtime) end(stop func() bool) {
	if stop() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
}
