package balancer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// dialTimeout is how long a backend that was ready may take to accept.
const dialTimeout = 2 * time.Second

// patience is how long a client waits for a backend to become ready before it is refused.
const patience = 2 * time.Second

// backend is one apiserver. Its fields but address are guarded by its pool.
type backend struct {
	address string
	ready   bool
	// open are the connections through this balancer.
	open map[*link]struct{}
}

// link is one client's connection and its backend's.
type link struct{ client, server net.Conn }

// pool chooses among backends and holds what passes through.
type pool struct {
	logger   *slog.Logger
	backends []*backend

	mu sync.Mutex
	// changed is closed, and replaced, when a backend becomes ready.
	changed chan struct{}
	closed  bool
	turn    int
}

func newPool(addresses []string, logger *slog.Logger) *pool {
	p := &pool{logger: logger, changed: make(chan struct{})}
	for _, address := range addresses {
		p.backends = append(p.backends, &backend{address: address, open: map[*link]struct{}{}})
	}
	return p
}

func (p *pool) up(b *backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.ready {
		return
	}
	b.ready = true
	close(p.changed)
	p.changed = make(chan struct{})
	p.logger.Info("ready", "backend", b.address)
}

// down takes the backend out, and resets its connections.
func (p *pool) down(b *backend, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.ready {
		return
	}
	b.ready = false
	p.logger.Warn("not ready", "backend", b.address, "connections", len(b.open), "error", why)
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
		for l := range b.open {
			l.reset()
		}
	}
}

func (p *pool) anyReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.backends {
		if b.ready {
			return true
		}
	}
	return false
}

// pick returns the ready backend with the fewest connections, but for those in not; the first of equals takes turns.
func (p *pool) pick(not map[*backend]bool) (best *backend, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn++
	for i := range p.backends {
		b := p.backends[(p.turn+i)%len(p.backends)]
		if b.ready && !not[b] && (best == nil || len(b.open) < len(best.open)) {
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

// connect finds a backend that accepts. When none is ready it waits for one, a while.
func (p *pool) connect(ctx context.Context, client net.Conn) (*link, *backend) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	refused := map[*backend]bool{}
	for {
		b, changed := p.pick(refused)
		if b == nil {
			select {
			case <-ctx.Done():
				return nil, nil
			case <-changed:
				clear(refused)
			}
			continue
		}
		server, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", b.address)
		if err != nil {
			refused[b] = true
			continue
		}
		if l := p.join(b, client, server); l != nil {
			return l, b
		}
		_ = server.Close()
		refused[b] = true
	}
}

// join registers a connection; nil when the backend went down meanwhile.
func (p *pool) join(b *backend, client, server net.Conn) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.ready || p.closed {
		return nil
	}
	l := &link{client, server}
	b.open[l] = struct{}{}
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
