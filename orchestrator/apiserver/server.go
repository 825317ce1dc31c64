// Package apiserver is the front door of the cluster: steps 1 to 3 in the life of a Pod. Every component and every user reads and writes through it.
//
// It knows both halves of the API, the catalogue (api) and the store, and joins them: chain.go is what each request passes, routes.go the table
// of what is served, endpoint the verbs, objects the way into the store. It is fed by clients over TLS and by the store's watch; it acts on
// nothing but the API's own objects.
package apiserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Config of an apiserver: its parts, ready to be joined.
type Config struct {
	Kinds []*kind.Kind
	Store store.Store
	// Types knows how objects of each kind are merged.
	Types fields.Types
	// Parts are built once the registry exists, since they read through it.
	Parts func(*objects.Registry) (Parts, error)
	// Address to serve on, and the certificate to serve with.
	Address string
	TLS     *tls.Config
	// Advertised is host:port as discovery tells it to clients.
	Advertised string
	Logger     *slog.Logger
	// CompressLists sends large lists compressed, as stock does.
	CompressLists bool
	Limits        Limits
	// Profiling serves /debug/pprof to those who may get it.
	Profiling bool
	// DrainTime is how long open requests may take to end at shutdown.
	DrainTime time.Duration
}

// Parts are what decides about requests.
type Parts struct {
	Authenticator authn.Authenticator
	Authorizer    authz.Authorizer
	Admission     admission.Judge
	Reservations  map[schema.GroupResource]endpoint.Reservation
	Mounts        []endpoint.Mount
	// Paths are further handlers by path, outside the resources.
	Paths map[string]http.Handler
	// Tasks run beside the server: bootstrap objects, reconcilers. Ready tells when the first round of them is over.
	Tasks []func(context.Context) error
	Ready func() bool
}

// Server is an apiserver.
type Server struct {
	cfg      Config
	registry *objects.Registry
	fields   *fields.Tracker
	parts    Parts
	stopping atomic.Bool
}

// New joins the parts.
func New(cfg Config) (*Server, error) {
	registry := objects.New(cfg.Kinds, cfg.Store, cfg.Logger)
	tracker := fields.New(cfg.Kinds, cfg.Types)
	registry.Track = trackOwn(tracker)
	parts, err := cfg.Parts(registry)
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, registry: registry, fields: tracker, parts: parts}, nil
}

// ownName is who the apiserver is in managedFields.
const ownName = "kube-apiserver"

// trackOwn notes what the apiserver itself writes.
func trackOwn(tracker *fields.Tracker) func(k *kind.Kind, subresource string, obj, old kind.Object) {
	return func(k *kind.Kind, subresource string, obj, old kind.Object) {
		tracker.Update(fields.Target{Kind: k, Version: &k.Versions[0], Subresource: subresource}, ownName, old, obj)
	}
}

// Registry that the server reads and writes through.
func (s *Server) Registry() *objects.Registry { return s.registry }

// Handler is the whole API.
func (s *Server) Handler() (http.Handler, error) {
	counts := newMetrics()
	limits := s.cfg.Limits.withDefaults()
	gate := &chain{
		authenticator: s.parts.Authenticator, authorizer: s.parts.Authorizer, barrier: s.registry.Barrier, ready: s.registry.Cache.Ready,
		limits: limits, metrics: counts, logger: s.cfg.Logger,
		flights: &flights{reading: flight{limit: int64(limits.Reading)}, mutating: flight{limit: int64(limits.Mutating)}, metrics: counts},
	}
	counts.follow(gate.flights)
	endpoints := endpoint.New(endpoint.Config{
		Registry: s.registry, Admission: s.parts.Admission, Reservations: s.parts.Reservations, Fields: s.fields, Authorize: gate.authorizeAlso,
		CompressLists: s.cfg.CompressLists,
	})
	table, err := newRoutes(s.cfg.Kinds, s.cfg.Advertised, endpoints, s.parts.Mounts, s.health())
	if err != nil {
		return nil, err
	}
	for path, handler := range s.parts.Paths {
		table.paths[path] = handler
	}
	table.paths["/metrics"] = counts.handler()
	table.list()
	if s.cfg.Profiling {
		table.paths["/debug"] = profiles()
	}
	gate.routes, counts.known = table, table.known
	gate.link()
	return gate, nil
}

// Run serves until ctx ends, then lets open requests end.
func (s *Server) Run(ctx context.Context) error {
	handler, err := s.Handler()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Address, err)
	}
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return ended(ctx, s.registry.Cache.Run(ctx)) })
	for _, task := range s.parts.Tasks {
		all.Go(func() error { return ended(ctx, task(ctx)) })
	}
	all.Go(func() error { return s.serve(ctx, handler, listener) })
	return all.Wait()
}

// ended: the end of a context is no failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// maxHeader bounds the header of a request, in bytes (stock's limit).
const maxHeader = 1 << 20

func (s *Server) serve(ctx context.Context, handler http.Handler, listener net.Listener) error {
	// Requests outlive ctx by the drain time; streams end with ctx.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: handler, TLSConfig: s.cfg.TLS, ReadHeaderTimeout: 32 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: maxHeader,
		// A connection that takes nothing at all would hold what its streams have sent.
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: s.cfg.Limits.withDefaults().Stall},
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelInfo-4),
	}
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		s.stopping.Store(true)
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTime)
		defer end()
		context.AfterFunc(grace, cancel)
		_ = server.Shutdown(grace)
		_ = server.Close()
	})
	err := server.ServeTLS(listener, "", "")
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", s.cfg.Address, err)
	}
	<-drained
	return nil
}
