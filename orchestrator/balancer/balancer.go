package balancer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
)

// Config of a balancer.
type Config struct {
	// Listen and Backends are host:port.
	Listen, Backends []string
	// CA is PEM; without it the backends' certificates are not verified when they are probed.
	CA []byte
	// Interval between two probes of a backend that is ready, half of it for one that is not. Timeout of one while answers come fast; one that has
	// lately answered slowly is given more.
	Interval, Timeout time.Duration
	// Health is where /healthz is served; empty: nowhere.
	Health string
	Logger *slog.Logger
}

// Balancer of a cluster.
type Balancer struct {
	cfg  Config
	pool *pool
	tls  *tls.Config
}

// New checks cfg. Nothing listens before Run.
func New(cfg Config) (*Balancer, error) {
	if len(cfg.Listen) == 0 || len(cfg.Backends) == 0 {
		return nil, errors.New("a balancer needs an address to listen on and a backend")
	}
	if cfg.Interval <= 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	b := &Balancer{cfg: cfg, pool: newPool(cfg.Backends, cfg.Logger), tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	if cfg.CA == nil {
		b.tls.InsecureSkipVerify = true
		return b, nil
	}
	b.tls.RootCAs = x509.NewCertPool()
	if !b.tls.RootCAs.AppendCertsFromPEM(cfg.CA) {
		return nil, errors.New("--ca: holds no certificate")
	}
	return b, nil
}

// Run listens and probes until ctx ends, and then resets every connection: clients come back by another way at once.
func (b *Balancer) Run(ctx context.Context) error {
	listeners, err := listen(ctx, b.cfg.Listen)
	if err != nil {
		return err
	}
	return b.Serve(ctx, listeners...)
}

// Serve is Run on listeners that are open already; it closes them.
func (b *Balancer) Serve(ctx context.Context, listeners ...net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	for _, backend := range b.pool.backends {
		running.Go(func() { b.watch(ctx, backend) })
	}
	if b.cfg.Health != "" {
		running.Go(func() { b.serveHealth(ctx) })
	}
	var first error
	var once sync.Once
	for _, listener := range listeners {
		stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
		defer stop()
		running.Go(func() {
			if err := b.accept(ctx, listener, &running); err != nil && ctx.Err() == nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	<-ctx.Done()
	b.pool.close()
	running.Wait()
	return first
}

func listen(ctx context.Context, addresses []string) ([]net.Listener, error) {
	var out []net.Listener
	for _, address := range addresses {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			for _, open := range out {
				_ = open.Close()
			}
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
		out = append(out, l)
	}
	return out, nil
}

func (b *Balancer) accept(ctx context.Context, listener net.Listener, running *sync.WaitGroup) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return nil
			}
			var temporary net.Error
			if errors.As(err, &temporary) && temporary.Timeout() {
				continue
			}
			return fmt.Errorf("accept on %s: %w", listener.Addr(), err)
		}
		running.Go(func() { b.pool.serve(ctx, client) })
	}
}

func (b *Balancer) serveHealth(ctx context.Context) {
	check := func(context.Context) error {
		if !b.pool.anyReady() {
			return errors.New("no backend is ready")
		}
		return nil
	}
	err := serving.Run(ctx, serving.Config{Address: b.cfg.Health, Logger: b.cfg.Logger, Checks: map[string]func(context.Context) error{"backends": check}})
	if err != nil && ctx.Err() == nil {
		b.cfg.Logger.Error("serve health", "error", err)
	}
}

// watch probes one backend until ctx ends.
func (b *Balancer) watch(ctx context.Context, backend *backend) {
	transport := &http.Transport{TLSClientConfig: b.tls, ForceAttemptHTTP2: false, MaxIdleConns: 1, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	timer := time.NewTimer(0)
	defer timer.Stop()
	j := judge{cfg: b.cfg, state: silent, failures: tolerated}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		asked := time.Now()
		b.pool.asks(backend, asked)
		err := b.ask(ctx, client, backend.address, j.patience())
		if ctx.Err() != nil {
			return
		}
		answered := time.Now()
		b.pool.told(backend, answered)
		if errors.Is(err, context.DeadlineExceeded) && (b.pool.heardSince(backend, asked) || !b.pool.alone(backend, answered, b.cfg.Timeout/quickly)) {
			err = fmt.Errorf("%w: %w", errBusy, err)
		}
		verdict, wait := j.take(err, asked, answered)
		b.pool.set(backend, verdict, err)
		if j.hopeless(time.Now()) {
			b.pool.abandon(backend)
		}
		if err != nil {
			// The connection of a probe that failed is not used again: what answers next may be another process.
			transport.CloseIdleConnections()
		}
		timer.Reset(wait)
	}
}

// ask is one probe that waits no longer than it has patience.
func (b *Balancer) ask(ctx context.Context, client *http.Client, address string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return probe(ctx, client, address)
}

// longestAnswer is how much of a probe's answer is read.
const longestAnswer = 64 << 10

func probe(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", address, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("probe %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	// An answer that is read to its end leaves the connection open for the next probe: every node asks every apiserver all the time, and
	// a TLS handshake costs more than all the rest.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, longestAnswer))
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		// It answers, and lets nobody without credentials ask: that is all there is to learn.
		return nil
	}
	return fmt.Errorf("probe %s: %s: %w", address, response.Status, errUnready)
}
