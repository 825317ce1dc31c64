package apiserver

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics count requests by stock's names and labels. Only what the table of routes knows becomes a label: a client can make up any number of paths.
type metrics struct {
	registry     *prometheus.Registry
	total        *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	longRunning  *prometheus.GaugeVec
	terminations *prometheus.CounterVec
	// known tells whether a request is for something that is served.
	known func(v *visit) bool
}

// durationBuckets are stock's, in seconds.
var durationBuckets = []float64{
	0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
}

func newMetrics() *metrics {
	about := []string{"verb", "group", "version", "resource", "subresource", "scope", "component"}
	with := func(more ...string) []string { return append(about[:len(about):len(about)], more...) }
	m := &metrics{
		registry: prometheus.NewRegistry(),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_request_total", Help: "Requests that were answered, by verb, dry run, resource, scope, component and code.",
		}, with("dry_run", "code")),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "apiserver_request_duration_seconds", Help: "Time that requests took, in seconds, without those that are long-running.", Buckets: durationBuckets,
		}, with("dry_run")),
		longRunning: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "apiserver_longrunning_requests", Help: "Long-running requests that are being served.",
		}, about),
		terminations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apiserver_request_terminations_total", Help: "Requests that this server ended to protect itself, by code.",
		}, with("code")),
	}
	m.registry.MustRegister(m.total, m.duration, m.longRunning, m.terminations)
	return m
}

// follow shows the numbers of requests under way.
func (m *metrics) follow(f *flights) {
	for kind, counted := range map[string]*flight{"readOnly": &f.reading, "mutating": &f.mutating} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "apiserver_current_inflight_requests", Help: "Requests that are being served, but for long-running ones, by kind.",
			ConstLabels: prometheus.Labels{"request_kind": kind},
		}, func() float64 { return float64(counted.now.Load()) }))
	}
}

// handler serves these metrics with those of the process.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, m.registry}, promhttp.HandlerOpts{})
}

func (m *metrics) measured(next handler) handler {
	return func(v *visit) error {
		if !m.known(v) {
			return next(v)
		}
		about := labelsOf(v)
		long := longRunning(v.info)
		if long {
			gauge := m.longRunning.WithLabelValues(about[:]...)
			gauge.Inc()
			defer gauge.Dec()
		}
		err := next(v)
		dryRun := ""
		if strings.Contains(v.r.URL.RawQuery, "dryRun=All") {
			dryRun = "All"
		}
		all := append(append(make([]string, 0, len(about)+2), about[:]...), dryRun)
		if !long {
			m.duration.WithLabelValues(all...).Observe(time.Since(v.started).Seconds())
		}
		m.total.WithLabelValues(append(all, strconv.Itoa(max(v.w.code, http.StatusOK)))...).Inc()
		if v.w.code == http.StatusGatewayTimeout && v.r.Context().Err() != nil {
			m.terminated(v, v.w.code)
		}
		return err
	}
}

// terminated counts a request that was not served for this server's own sake.
func (m *metrics) terminated(v *visit, code int) {
	if !m.known(v) {
		return
	}
	about := labelsOf(v)
	m.terminations.WithLabelValues(append(about[:], strconv.Itoa(code))...).Inc()
}

// labelsOf a request say what it is about: verb, group, version, resource, subresource, scope, component.
func labelsOf(v *visit) [7]string {
	info := v.info
	if !info.IsResource {
		first, _, _ := strings.Cut(strings.TrimPrefix(info.Path, "/"), "/")
		if isProbe(info) {
			return [7]string{v.r.Method, "", "", "", "/" + first, "", ""}
		}
		return [7]string{v.r.Method, "", "", "", first, "", "apiserver"}
	}
	return [7]string{verbLabel(v), info.Group, info.Version, info.Resource, info.Subresource, scopeLabel(v), "apiserver"}
}

// verbLabel is stock's word for a verb.
func verbLabel(v *visit) string {
	switch v.info.Verb {
	case "list", "watch", "deletecollection":
		return strings.ToUpper(v.info.Verb)
	}
	switch v.info.Subresource {
	case "exec", "attach", "portforward", "proxy":
		return "CONNECT"
	}
	if v.r.Method == http.MethodPatch && strings.HasPrefix(v.r.Header.Get("Content-Type"), "application/apply-patch") {
		return "APPLY"
	}
	switch v.r.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return v.r.Method
	}
	return "other"
}

func scopeLabel(v *visit) string {
	switch {
	case v.info.Name != "" || v.info.Verb == "create":
		return "resource"
	case v.info.Namespace != "":
		return "namespace"
	}
	return "cluster"
}
