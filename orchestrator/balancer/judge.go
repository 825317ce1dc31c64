package balancer

import (
	"errors"
	"syscall"
	"time"
)

// errUnready: a backend has answered that it is not ready.
var errUnready = errors.New("not ready")

// errBusy: a backend has not answered in time, but sends to clients meanwhile, or no other answers quickly either.
var errBusy = errors.New("busy")

const (
	// tolerated is how many probes in a row may fail.
	tolerated = 1
	// A probe may take slack times as long as answers have taken lately, and at most stretch times its timeout: on a machine that has more to do
	// than it can, everything is slow, and a reset of every connection makes it slower.
	slack   = 4
	stretch = 4
	// quickly is the part of a probe's timeout within which the others must answer for one that does not to be dead. It is more than an apiserver
	// waits for its etcd: while that elects a leader they all answer late.
	quickly = 2
	// busyFor is how many probes in a row may go unanswered by one that is busy: one that only seems alive is given up in the end.
	busyFor = 4
	// unreadyFor is how long a backend may answer that it is not ready before its connections are reset. While etcd elects a leader no apiserver
	// is ready; one that has lost its etcd for good serves nobody, although its connections are alive.
	unreadyFor = 2 * time.Second
)

// judge tells from one backend's probes what state it is in. It is pure: who probes feeds it.
type judge struct {
	cfg      Config
	state    state
	failures int
	// busy are the probes in a row that went unanswered while it was busy.
	busy int
	// unreadySince is when it first answered that it is not ready; zero while it is.
	unreadySince time.Time
	// usual is how long answers take: a maximum that fades.
	usual time.Duration
}

// patience is how long the next probe may take.
func (j *judge) patience() time.Duration {
	return min(max(j.cfg.Timeout, slack*j.usual), stretch*j.cfg.Timeout)
}

// take judges a probe, and says how long to wait before the next. A connection that is refused tells for certain that nobody is there.
func (j *judge) take(err error, asked, answered time.Time) (state, time.Duration) {
	if err == nil || errors.Is(err, errUnready) {
		j.usual = max(answered.Sub(asked), j.usual*7/8)
	}
	if err == nil {
		j.failures, j.busy, j.unreadySince, j.state = 0, 0, time.Time{}, ready
		return j.state, j.cfg.Interval
	}
	if errors.Is(err, errBusy) && j.state == ready && j.busy < busyFor {
		j.busy++
		return j.state, 0
	}
	j.failures++
	gone := errors.Is(err, syscall.ECONNREFUSED)
	switch answers := errors.Is(err, errUnready); {
	case j.failures <= tolerated && !gone:
		return j.state, 0 // asked again at once: whether it is gone is to be known soon
	case answers:
		j.state = unready
		if j.unreadySince.IsZero() {
			j.unreadySince = answered
		}
	default:
		j.state, j.unreadySince = silent, time.Time{}
	}
	return j.state, j.cfg.Interval / 2
}

// hopeless tells that the backend has answered for long that it is not ready.
func (j *judge) hopeless(now time.Time) bool {
	return j.state == unready && now.Sub(j.unreadySince) >= unreadyFor
}
