package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
)

var (
	syncSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "kubeproxy_sync_proxy_rules_duration_seconds", Help: "How long one sync of the packet filter took.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
	})
	syncFailures = promauto.NewCounter(prometheus.CounterOpts{
		Name: "kubeproxy_sync_proxy_rules_nftables_sync_failures_total", Help: "Transactions that the kernel refused.",
	})
)

// patience is how long a change may wait to be programmed before the proxy calls itself unhealthy.
const patience = time.Minute

// autoscalerTaint marks a node that is about to be removed.
const autoscalerTaint = "ToBeDeletedByClusterAutoscaler"

// healthConfig is where health learns what it tells.
type healthConfig struct {
	Logger *slog.Logger
	Clock  clock.PassiveClock
	// Pending is when the oldest change came that is not programmed yet, among those that concern a Service, or among all ("").
	Pending func(service string) time.Time
	// Refused are the Services that the kernel refuses, and why.
	Refused func() map[string]string
}

// health tells load balancers whether this node should get traffic, in general and for one Service.
type health struct {
	healthConfig
	// eligible: the node is not about to go.
	eligible atomic.Bool
	updated  atomic.Pointer[time.Time]

	mu       sync.Mutex
	services map[string]*serviceHealth
}

// serviceHealth is the server on one healthCheckNodePort.
type serviceHealth struct {
	port   uint16
	local  int
	server *http.Server
}

func newHealth(cfg healthConfig) *health {
	h := &health{healthConfig: cfg, services: map[string]*serviceHealth{}}
	h.eligible.Store(true)
	return h
}

// synced notes that the filter is up to date, and what the Node says of its own future.
func (h *health) synced(node *corev1.Node) {
	now := h.Clock.Now()
	h.updated.Store(&now)
	eligible := true
	if node != nil {
		eligible = node.DeletionTimestamp == nil
		for _, taint := range node.Spec.Taints {
			eligible = eligible && taint.Key != autoscalerTaint
		}
	}
	h.eligible.Store(eligible)
}

// healthy tells whether changes reach the filter: those of all Services (""), or all that concern one.
func (h *health) healthy(service string) bool {
	since := h.Pending(service)
	return h.updated.Load() != nil && (since.IsZero() || h.Clock.Since(since) < patience)
}

// set makes the Service's server answer; port 0 takes it away.
func (h *health) set(key string, port uint16, local int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	have := h.services[key]
	if have != nil && have.port == port {
		have.local = local
		return
	}
	if have != nil {
		h.close(key, have)
	}
	if port == 0 {
		return
	}
	if err := h.open(key, port, local); err != nil {
		h.Logger.Error("serve health checks", "service", key, "error", err)
	}
}

func (h *health) remove(key string) { h.set(key, 0, 0) }

func (h *health) open(key string, port uint16, local int) error {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(int(port)))
	if err != nil {
		return fmt.Errorf("healthCheckNodePort %d: %w", port, err)
	}
	server := &http.Server{Handler: h.serviceHandler(key), ReadHeaderTimeout: 10 * time.Second}
	h.services[key] = &serviceHealth{port: port, local: local, server: server}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.Logger.Error("serve health checks", "service", key, "error", err)
		}
	}()
	return nil
}

func (h *health) close(key string, s *serviceHealth) {
	_ = s.server.Close()
	delete(h.services, key)
}

func (h *health) closeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, s := range h.services {
		h.close(key, s)
	}
}

// serviceHandler answers 200 on a node that has endpoints of the Service, and 503 on others.
func (h *health) serviceHandler(key string) http.Handler {
	namespace, name, _ := strings.Cut(key, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		local := 0
		if s := h.services[key]; s != nil {
			local = s.local
		}
		h.mu.Unlock()
		healthy := h.healthy(key)
		status := http.StatusOK
		if local == 0 || !healthy {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("X-Load-Balancing-Endpoint-Weight", strconv.Itoa(local))
		writeJSON(w, status, map[string]any{
			"service":             map[string]string{"namespace": namespace, "name": name},
			"localEndpoints":      local,
			"serviceProxyHealthy": healthy,
		})
	})
}

// nodeHandler answers whether this node's proxy works, and which Services the kernel refuses; with eligibility, also whether the node is to stay.
func (h *health) nodeHandler(eligibility bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := map[string]any{"currentTime": h.Clock.Now().UTC().String(), "lastUpdated": ""}
		if updated := h.updated.Load(); updated != nil {
			body["lastUpdated"] = updated.UTC().String()
		}
		if refused := h.Refused(); len(refused) > 0 {
			body["refused"] = refused
		}
		ok := h.healthy("")
		if eligibility {
			body["nodeEligible"] = h.eligible.Load()
			ok = ok && h.eligible.Load()
		}
		status := http.StatusOK
		if !ok {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, body)
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// serve runs the health and the metrics server; as with stock, only bindAddressHardFail makes an address that is taken fatal.
func (p *Proxy) serve(ctx context.Context, fail context.CancelCauseFunc) {
	complain := func(err error) {
		if err == nil || ctx.Err() != nil {
			return
		}
		p.cfg.Logger.Error("serve", "error", err)
		if p.cfg.Settings.BindAddressHardFail {
			fail(err)
		}
	}
	var both sync.WaitGroup
	both.Go(func() { complain(p.serveHealth(ctx)) })
	both.Go(func() {
		mode := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "nftables") })
		complain(serving.Run(ctx, serving.Config{
			Address: p.cfg.Settings.MetricsBindAddress, Logger: p.cfg.Logger, Handlers: map[string]http.Handler{"/proxyMode": mode},
		}))
	})
	both.Wait()
}

func (p *Proxy) serveHealth(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/healthz", p.health.nodeHandler(true))
	mux.Handle("/livez", p.health.nodeHandler(false))
	server := &http.Server{Addr: p.cfg.Settings.HealthzBindAddress, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health: %w", err)
	}
	return nil
}
