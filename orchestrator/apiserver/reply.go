package apiserver

import (
	"net/http"
	"sync"
	"time"
)

// reply is the ResponseWriter of a visit. It notes the code, and in a stream it does not wait for ever for its client to read.
type reply struct {
	http.ResponseWriter
	connection *http.ResponseController
	// code is 0 as long as nothing was written.
	code  int
	stall *stall
}

func newReply(w http.ResponseWriter) *reply {
	return &reply{ResponseWriter: w, connection: http.NewResponseController(w)}
}

// Unwrap lets an http.ResponseController reach what this writer lacks.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *reply) WriteHeader(code int) {
	if a.code < http.StatusOK {
		a.code = code
	}
	a.ResponseWriter.WriteHeader(code)
}

// Write implements io.Writer.
func (a *reply) Write(p []byte) (int, error) {
	if a.code < http.StatusOK {
		a.code = http.StatusOK
	}
	if a.stall == nil {
		return a.ResponseWriter.Write(p)
	}
	a.stall.begin()
	defer a.stall.end()
	return a.ResponseWriter.Write(p)
}

// FlushError is what an http.ResponseController flushes by.
func (a *reply) FlushError() error {
	if a.stall == nil {
		return a.connection.Flush()
	}
	a.stall.begin()
	defer a.stall.end()
	return a.connection.Flush()
}

// finish bounds what is written of an HTTP/1 answer after its handler. A connection that has changed its protocol belongs to others.
func (a *reply) finish(limit time.Duration) {
	if a.code >= http.StatusOK {
		_ = a.connection.SetWriteDeadline(time.Now().Add(limit))
	}
}

// stall cuts the connection of a client that does not read, while something is being written to it: between writes a stream may be silent.
type stall struct {
	limit time.Duration
	cut   func()

	mu sync.Mutex
	// began is when the write under way began; zero when there is none.
	began time.Time
	timer *time.Timer
}

func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
	if s.timer == nil {
		s.timer = time.AfterFunc(s.limit, s.fire)
		return
	}
	s.timer.Reset(s.limit)
}

func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Time{}
	s.timer.Stop()
}

// fire may come late, when another write is under way already.
func (s *stall) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.began.IsZero() && time.Since(s.began) >= s.limit {
		s.cut()
	}
}
