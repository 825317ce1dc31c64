// Package serving is the small HTTP(S) server of a component: /healthz, /livez, /readyz, /metrics, and what the component mounts besides.
//
// It is fed checks by its component and asked by probes and scrapers. It does no authentication: a component that serves more than health
// and metrics wraps its own handlers.
package serving

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config of a server.
type Config struct {
	// Address to listen on, host:port.
	Address string
	// TLS serves HTTPS when it is not nil.
	TLS *tls.Config
	// Checks by name: one that fails makes every health path answer 500.
	Checks map[string]func(context.Context) error
	// Handlers by pattern, besides health and metrics.
	Handlers map[string]http.Handler
	Logger   *slog.Logger
}

// shutdownGrace is how long open requests may take to end after ctx has.
const shutdownGrace = 3 * time.Second

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Address, err)
	}
	if cfg.TLS != nil {
		listener = tls.NewListener(listener, cfg.TLS)
	}
	server := &http.Server{
		Handler:           Handler(cfg),
		ReadHeaderTimeout: 30 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelInfo-4),
	}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			_ = server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", cfg.Address, err)
	}
	return nil
}

// Handler returns the routes of a server, for those who serve them on a listener of their own.
func Handler(cfg Config) http.Handler {
	mux := http.NewServeMux()
	health := healthHandler(cfg.Checks)
	for _, path := range []string{"/healthz", "/livez", "/readyz"} {
		mux.Handle(path, health)
	}
	mux.Handle("/metrics", promhttp.Handler())
	for pattern, handler := range cfg.Handlers {
		mux.Handle(pattern, handler)
	}
	return mux
}

func healthHandler(checks map[string]func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, check := range checks {
			if err := check(r.Context()); err != nil {
				http.Error(w, fmt.Sprintf("[-]%s failed: %v", name, err), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok"))
	})
}
