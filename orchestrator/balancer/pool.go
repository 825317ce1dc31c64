package balancer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

// dialTimeout is how long a backend may take to accept, and hedge how long until the next one is asked beside it: the address of a dead node
// answers nothing for seconds, and that it is dead no probe has told yet.
const (
	dialTimeout = 2 * time.Second
	hedge       = 50 * time.Millisecond
)

// patience is how long a client waits for a backend to become ready before it is refused.
const patience = 2 * time.Second

// state of a backend as its probes tell it.
type state int

const (
	// silent: nobody is there, or nobody answers. Its connections have been reset.
	silent state = iota
	// unready: it answers that it is not ready. It is better than nothing: when no backend is ready, the cause is what stands behind them all, and
	// a client learns more from one of them than from a balancer that refuses it.
	unready
	ready
)

func (s state) String() string { return [...]string{"silent", "unready", "ready"}[s] }

// backend is one apiserver. Its fields but address are guarded by its pool.
type backend struct {
	address string
	state   state
	// asked is when the probe under way began, zero when there is none; took is how long the last one took, also one that was given up.
	asked time.Time
	took  time.Duration
	// open are the connections through this balancer.
	open map[*link]struct{}
}

// link is one client's connection and its backend's.
type link struct{ client, server net.Conn }

// pool chooses among backends and holds what passes through.
type pool struct {
	logger   *slog.Logger
	backends []*backend
	dial     func(ctx context.Context, address string) (net.Conn, error)

	mu sync.Mutex
	// changed is closed, and replaced, when a backend fares better.
	changed chan struct{}
	closed  bool
	turn    int
}

func newPool(addresses []string, logger *slog.Logger) *pool {
	p := &pool{logger: logger, changed: make(chan struct{})}
	p.dial = func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	}
	for _, address := range addresses {
		p.backends = append(p.backends, &backend{address: address, open: map[*link]struct{}{}})
	}
	return p
}

// asks notes that a probe of a backend begins, told that it ended.
func (p *pool) asks(b *backend, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.asked = now
}

func (p *pool) told(b *backend, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.took, b.asked = now.Sub(b.asked), time.Time{}
}

// alone tells whether every other ready backend, and there must be one, answers its probes within quick. A backend that is slow while others are has
// nothing that they have not: what all of them run on, or this process, has more to do than it can.
func (p *pool) alone(b *backend, now time.Time, quick time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	others := 0
	for _, other := range p.backends {
		if other == b || other.state != ready {
			continue
		}
		if other.took > quick || !other.asked.IsZero() && now.Sub(other.asked) > quick {
			return false
		}
		others++
	}
	return others > 0
}

// set notes what a probe has told. Connections to a backend that fell silent are reset.
func (p *pool) set(b *backend, to state, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.state == to {
		return
	}
	if to > b.state {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	if to == ready {
		p.logger.Info("ready", "backend", b.address)
	} else {
		p.logger.Warn("not ready", "backend", b.address, "state", to, "connections", len(b.open), "error", why)
	}
	b.state = to
	if to == silent {
		b.reset()
	}
}

// abandon resets the connections to a backend that is not ready, if there is one that is.
func (p *pool) abandon(b *backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.state == ready || len(b.open) == 0 || !p.anyIs(ready) {
		return
	}
	p.logger.Warn("not ready for long, reset its connections", "backend", b.address, "connections", len(b.open))
	b.reset()
}

// reset ends every connection. The caller holds the pool's mu.
func (b *backend) reset() {
	for l := range b.open {
		l.reset()
	}
}

// close resets everything.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, b := range p.backends {
		b.reset()
	}
}

func (p *pool) anyReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.anyIs(ready)
}

// anyIs tells whether a backend is in a state. The caller holds mu.
func (p *pool) anyIs(s state) bool {
	return slices.ContainsFunc(p.backends, func(b *backend) bool { return b.state == s })
}

// pick returns the backend with the fewest connections among the ready ones, else among those that answer, but for those in not; the first of
// equals takes turns.
func (p *pool) pick(not map[*backend]bool) (best *backend, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn++
	for i := range p.backends {
		b := p.backends[(p.turn+i)%len(p.backends)]
		if b.state == silent || not[b] {
			continue
		}
		if best == nil || b.state > best.state || b.state == best.state && len(b.open) < len(best.open) {
			best = b
		}
	}
	return best, p.changed
}

// serve leads one client to a backend and returns when either has gone.
func (p *pool) serve(ctx context.Context, client net.Conn) {
	l, b := p.connect(ctx, client)
	if l == nil {
		resetConn(client)
		return
	}
	l.copy()
	p.mu.Lock()
	delete(b.open, l)
	p.mu.Unlock()
}

// connect finds a backend that accepts. When none answers it waits for one, a while.
func (p *pool) connect(ctx context.Context, client net.Conn) (*link, *backend) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := map[*backend]bool{}
	answers := make(chan answer, len(p.backends))
	waiting := 0
	defer func() { go discard(answers, waiting) }()
	for {
		b, changed := p.pick(asked)
		var next <-chan time.Time
		if b != nil {
			asked[b] = true
			waiting++
			go func() { answers <- p.ask(ctx, b) }()
			changed = nil
			next = time.After(hedge)
		} else if waiting == 0 {
			clear(asked) // all have refused: ask them again after a moment
			next = time.After(hedge)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-changed:
		case <-next:
		case a := <-answers:
			waiting--
			if l := p.join(a, client); l != nil {
				return l, a.from
			}
		}
	}
}

// answer is how a backend took a connection.
type answer struct {
	from *backend
	conn net.Conn
}

// ask dials; why nobody accepted is for the probes to tell.
func (p *pool) ask(ctx context.Context, b *backend) answer {
	conn, err := p.dial(ctx, b.address)
	if err != nil {
		conn = nil
	}
	return answer{b, conn}
}

// discard closes the connections that came too late.
func discard(answers <-chan answer, n int) {
	for range n {
		if a := <-answers; a.conn != nil {
			_ = a.conn.Close()
		}
	}
}

// join registers a connection; nil when there is none, or the backend fell silent meanwhile.
func (p *pool) join(a answer, client net.Conn) *link {
	if a.conn == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.from.state == silent || p.closed {
		_ = a.conn.Close()
		return nil
	}
	l := &link{client, a.conn}
	a.from.open[l] = struct{}{}
	return l
}

// copy passes bytes both ways until both have ended, or one has failed. Between two TCP connections the kernel moves them (splice).
func (l *link) copy() {
	var both sync.WaitGroup
	both.Go(func() { l.pass(l.server, l.client) })
	both.Go(func() { l.pass(l.client, l.server) })
	both.Wait()
	_ = l.client.Close()
	_ = l.server.Close()
}

func (l *link) pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil {
		l.reset()
		return
	}
	half, ok := to.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		l.reset()
	}
}

// reset ends both connections so that their peers know at once.
func (l *link) reset() {
	resetConn(l.client)
	resetConn(l.server)
}

func resetConn(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		slog.Debug("close", "error", err)
	}
}
