package apiserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// check is one named condition of health.
type check struct {
	name string
	// readyOnly checks count for /readyz only.
	readyOnly bool
	ok        func(context.Context) error
}

// health answers /healthz, /livez and /readyz: all checks, one of them, or without some, as the query asks.
type health struct{ checks []check }

// probes are the paths that tell of this process's health.
var probes = []string{"healthz", "livez", "readyz"}

// isProbe tells whether a request asks for health.
func isProbe(info *request.Info) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(info.Path, "/"), "/")
	return !info.IsResource && slices.Contains(probes, first)
}

// health of this server, by stock's names. Names of stock that are missing here stand for what this server does not have: a loopback connection to
// itself, controllers of custom resources and of aggregated APIs, priority and fairness, a Lease of its own.
func (s *Server) health() *health {
	etcd := &shared{ok: s.storeAnswers, now: time.Now}
	log := &shared{ok: s.logIsWritten, now: time.Now}
	h := &health{checks: []check{
		{name: "ping", ok: func(context.Context) error { return nil }},
		{name: "log", ok: log.check},
		{name: "etcd", ok: etcd.check},
		{name: "etcd-readiness", readyOnly: true, ok: etcd.check},
		{name: "informer-sync", readyOnly: true, ok: s.cacheFilled},
	}}
	hooks := func(ok func(context.Context) error, names ...string) {
		for _, name := range names {
			h.checks = append(h.checks, check{name: "poststarthook/" + name, ok: ok})
		}
	}
	// Who reads the cache: admission, and every request.
	hooks(s.cacheFilled, "start-apiserver-admission-initializer", "generic-apiserver-start-informers", "storage-readiness")
	// What bootstrap writes: namespaces, who may authenticate how, roles, priority classes, the kubernetes Service.
	hooks(s.seeded, "start-system-namespaces-controller", "start-cluster-authentication-info-controller", "rbac/bootstrap-roles",
		"scheduling/bootstrap-system-priority-classes", "bootstrap-controller")
	h.checks = append(h.checks, check{name: "shutdown", readyOnly: true, ok: s.notStopping})
	return h
}

// storeTimeout bounds the health check of the store.
const storeTimeout = 2 * time.Second

func (s *Server) storeAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := s.cfg.Store.Revision(ctx)
	return err
}

// logIsWritten: lines are written while whoever logs waits, so a reader of the log that has stopped stops this process.
func (s *Server) logIsWritten(ctx context.Context) error {
	s.cfg.Logger.Log(ctx, slog.LevelInfo-6, "health: the log is written")
	return nil
}

func (s *Server) cacheFilled(context.Context) error {
	if !s.registry.Cache.Ready() {
		return errors.New("the watch cache is being filled")
	}
	return nil
}

func (s *Server) seeded(context.Context) error {
	if s.parts.Ready != nil && !s.parts.Ready() {
		return errors.New("bootstrap objects are being written")
	}
	return nil
}

func (s *Server) notStopping(context.Context) error {
	if s.stopping.Load() {
		return errors.New("the process is shutting down")
	}
	return nil
}

// of are the checks below a root: healthz, livez or readyz.
func (h *health) of(root string) []check {
	var all []check
	for _, c := range h.checks {
		if !c.readyOnly || root == "readyz" {
			all = append(all, c)
		}
	}
	return all
}

// names of the checks below a root, /healthz, /livez or /readyz.
func (h *health) names(root string) []string {
	var names []string
	for _, c := range h.of(strings.TrimPrefix(root, "/")) {
		names = append(names, c.name)
	}
	return names
}

// ServeHTTP implements http.Handler.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	root, only, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if only != "" {
		h.one(w, r, root, only)
		return
	}
	exclude := map[string]bool{}
	for _, name := range r.URL.Query()["exclude"] {
		exclude[name] = true
	}
	var text strings.Builder
	failed := false
	for _, c := range h.of(root) {
		switch {
		case exclude[c.name]:
			delete(exclude, c.name)
			fmt.Fprintf(&text, "[+]%s excluded: ok\n", c.name)
		case c.ok(r.Context()) != nil:
			failed = true
			fmt.Fprintf(&text, "[-]%s failed: reason withheld\n", c.name)
		default:
			fmt.Fprintf(&text, "[+]%s ok\n", c.name)
		}
	}
	if len(exclude) > 0 {
		fmt.Fprintf(&text, "warn: some health checks cannot be excluded: no matches for %s\n", quoted(exclude))
	}
	if failed {
		http.Error(w, fmt.Sprintf("%s%s check failed", text.String(), root), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if _, verbose := r.URL.Query()["verbose"]; verbose {
		fmt.Fprintf(w, "%s%s check passed\n", text.String(), root)
		return
	}
	fmt.Fprint(w, "ok")
}

// one answers for a check alone.
func (h *health) one(w http.ResponseWriter, r *http.Request, root, name string) {
	for _, c := range h.of(root) {
		if c.name != name {
			continue
		}
		if err := c.ok(r.Context()); err != nil {
			http.Error(w, fmt.Sprintf("internal server error: %v", err), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		fmt.Fprint(w, "ok")
		return
	}
	http.NotFound(w, r)
}

// quoted lists names in the order of the alphabet, as stock prints them.
func quoted(names map[string]bool) string {
	var all []string
	for name := range names {
		all = append(all, fmt.Sprintf("%q", name))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
