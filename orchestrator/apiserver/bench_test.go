package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

const protobufType = "application/vnd.kubernetes.protobuf"

// BenchmarkRequests are the requests of `plumb bench` and of kubelets, through the whole chain down to the store in memory.
func BenchmarkRequests(b *testing.B) {
	w := newWorld(b)
	w.namespace("d")
	const maps, pods = "/api/v1/namespaces/d/configmaps", "/api/v1/namespaces/d/pods"
	text := strings.Repeat("x", 1000)
	configMap := func(name string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"labels":{"bench":"yes"}},"data":{"text":%q}}`, name, text)
	}
	// Writes go from one object to the next, so that the cache has seen the last write of each when it is written again.
	const several = 64
	for i := range several {
		w.must("", http.MethodPost, maps, configMap(fmt.Sprint("a", i)))
		w.must("", http.MethodPost, pods, fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a%d","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"i",`+
			`"env":[{"name":"A","value":"b"}],"ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"100m"}}}]}}`, i))
	}
	for _, row := range []struct {
		name, method, path, media string
		body                      func(i int) string
	}{
		{"create", "POST", maps, asJSON, func(i int) string { return configMap(fmt.Sprint("n", i)) }},
		{"get", "GET", maps + "/a%d", "", func(int) string { return "" }},
		{"update", "PUT", maps + "/a%d", asJSON, func(i int) string {
			return strings.Replace(configMap(fmt.Sprint("a", i%several)), "yes", fmt.Sprint(i), 1)
		}},
		{"strategic", "PATCH", maps + "/a%d", asStrategic, func(i int) string { return fmt.Sprintf(`{"data":{"count":"%d"}}`, i) }},
		{"merge", "PATCH", maps + "/a%d", asMerge, func(i int) string { return fmt.Sprintf(`{"data":{"count":"m%d"}}`, i) }},
		{"jsonpatch", "PATCH", maps + "/a%d", asJSONPatch, func(i int) string { return fmt.Sprintf(`[{"op":"add","path":"/data/count","value":"j%d"}]`, i) }},
		{"status", "PATCH", pods + "/a%d/status", asStrategic, func(i int) string {
			return fmt.Sprintf(`{"status":{"podIP":"10.0.%d.%d","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`, i>>8&255, i&255)
		}},
		{"createpod", "POST", pods, asJSON, func(i int) string {
			return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"n%d"},"spec":{"containers":[{"name":"c","image":"i"}]}}`, i)
		}},
	} {
		i := 0
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i++
				w.load(row.method, strings.Replace(row.path, "%d", strconv.Itoa(i%several), 1), row.media, row.body(i))
			}
		})
	}
}

// BenchmarkList5000 lists what `plumb bench` does, and pods of an ordinary size, in both encodings.
func BenchmarkList5000(b *testing.B) {
	for _, row := range []struct{ resource, kind, content string }{
		{"configmaps", "ConfigMap", `"data":{"text":"` + strings.Repeat("x", 1000) + `"}`},
		{"pods", "Pod", `"spec":{"containers":[{"name":"c","image":"i","env":[{"name":"A","value":"b"},{"name":"C","value":"d"}],"ports":[{"containerPort":80}],` +
			`"livenessProbe":{"httpGet":{"path":"/","port":80}},"resources":{"requests":{"cpu":"100m","memory":"1Gi"},"limits":{"memory":"1Gi"}}}]}`},
	} {
		w := newWorld(b)
		w.namespace("d")
		path := "/api/v1/namespaces/d/" + row.resource
		for i := range 5000 {
			w.load("POST", path, asJSON, fmt.Sprintf(`{"apiVersion":"v1","kind":%q,"metadata":{"name":"n%d"},%s}`, row.kind, i, row.content))
		}
		for _, media := range []string{asJSON, protobufType} {
			b.Run(row.resource+"/"+media[strings.LastIndexAny(media, "/.")+1:], func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.load("GET", path, "", "", "Accept", media)
				}
			})
		}
	}
}

// BenchmarkFanOut is one change seen by 100 watches; an operation is the delivery of it to all.
func BenchmarkFanOut(b *testing.B) {
	w := newWorld(b)
	w.namespace("d")
	const watchers, maps = 100, "/api/v1/namespaces/d/configmaps"
	w.must("", http.MethodPost, maps, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"text":"`+strings.Repeat("x", 1000)+`"}}`)
	ctx, cancel := context.WithCancel(b.Context())
	heard, ended := make(chan struct{}, watchers), make(chan struct{}, watchers)
	for range watchers {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, maps+"?watch=1&fieldSelector=metadata.name=a", nil)
		go func() {
			w.handler.ServeHTTP(&listener{header: http.Header{}, heard: heard}, r)
			ended <- struct{}{}
		}()
		<-heard // the state that the watch begins with
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		w.load("PATCH", maps+"/a", asMerge, fmt.Sprintf(`{"data":{"count":"%d"}}`, i))
		for range watchers {
			<-heard
		}
	}
	cancel()
	for range watchers {
		<-ended
	}
}

// listener tells of each event that a watch sends it.
type listener struct {
	header http.Header
	heard  chan<- struct{}
}

func (l *listener) Header() http.Header { return l.header }
func (l *listener) WriteHeader(int)     {}
func (l *listener) Flush()              {}
func (l *listener) Write(p []byte) (int, error) {
	l.heard <- struct{}{}
	return len(p), nil
}

// load is must for benchmarks: it costs little itself.
func (w *world) load(method, path, media, body string, headers ...string) {
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	r.Header.Set("Accept", "application/json, */*") // as client-go does
	r.Header.Set("User-Agent", "bench/v1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	sink := discard{header: http.Header{}}
	w.handler.ServeHTTP(&sink, r)
	if sink.code >= 300 {
		w.Fatalf("%s %s: %d", method, path, sink.code)
	}
}

// discard is a ResponseWriter that keeps the code alone.
type discard struct {
	header http.Header
	code   int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(code int)        { d.code = code }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
