package apiserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// patience bounds how long a test waits for what must happen.
const patience = 20 * time.Second

func TestPatchesDoNotMultiplyWhatTheyAreGiven(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"0123456789"}`))
	bomb := []string{`{"op":"add","path":"/metadata/annotations","value":{}}`}
	for i := range 24 {
		bomb = append(bomb, fmt.Sprintf(`{"op":"copy","from":"/data","path":"/data/c%d"}`, i))
	}
	got := w.send("PATCH", configMaps+"/a", asJSONPatch, "["+strings.Join(bomb, ",")+"]")
	w.refused(got, http.StatusUnprocessableEntity, "the server rejected our request due to an error in our request")
	if len(got.Body) > 1000 {
		t.Errorf("the refusal has %d bytes", len(got.Body))
	}
	many := strings.Repeat(`,{"op":"test","path":"/data/k","value":"x"}`, 10001)
	w.refused(w.send("PATCH", configMaps+"/a", asJSONPatch, "["+many[1:]+"]"), http.StatusRequestEntityTooLarge,
		"Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")
}

func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", ""))
	large := strings.Repeat(" ", 3<<20+1)
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for _, row := range []struct {
		name, method, url, media, body string
		code                           int
		says                           string
	}{
		{"create", "POST", configMaps, asJSON, large, 413, "Request entity too large: limit is 3145728"},
		{"update", "PUT", configMaps + "/a", asJSON, large, 413, "Request entity too large: limit is 3145728"},
		{"merge", "PATCH", configMaps + "/a", asMerge, large, 413, "Request entity too large: limit is 3145728"},
		{"operations", "PATCH", configMaps + "/a", asJSONPatch, large, 413, "Request entity too large: limit is 3145728"},
		{"apply", "PATCH", configMaps + "/a?fieldManager=x", asApply, large, 413, "Request entity too large: limit is 3145728"},
		{"delete", "DELETE", configMaps + "/zz", asJSON, large, 413, "Request entity too large: limit is 3145728"},
		{"the limit itself", "POST", configMaps, asJSON, large[1:], 400, "the object provided is unrecognized..."},
		{"deep", "POST", configMaps, asJSON, deep, 400, "the object provided is unrecognized..."},
		{"deep merge", "PATCH", configMaps + "/a", asMerge, deep, 400, "invalid JSON patch"},
		{"deep operations", "PATCH", configMaps + "/a", asJSONPatch, deep, 400, "invalid JSON patch"},
		{"deep YAML", "POST", configMaps, asYAML, "a: " + deep[80_000:120_000], 400, "the object provided is unrecognized..."},
	} {
		w.refused(w.send(row.method, row.url, row.media, row.body), row.code, row.says)
	}
}

func TestRefusalsDoNotEchoWhatWasSent(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", ""))
	long := strings.Repeat("y", 100_000)
	for _, row := range []struct{ method, url, media, body string }{
		{"PATCH", configMaps + "/a", asMerge, `{"data":{"k":1,"z":"` + long + `"}}`},
		{"PATCH", configMaps + "/a", asStrategic, `{"data":{"k":1,"z":"` + long + `"}}`},
		{"POST", configMaps, asJSON, configMap("b", `,"data":{"k":1,"`+long+`":"z"}`)},
		{"POST", configMaps + "?fieldValidation=Strict", asJSON, configMap("b", `,"`+long+`":"z"`)},
		{"POST", configMaps, asJSON, strings.Replace(configMap("b", ""), `"metadata":{`, `"metadata":{"labels":{"k":"`+long+`"},`, 1)},
	} {
		got := w.send(row.method, row.url, row.media, row.body)
		if got.Code < 400 || len(got.Body) > 40_000 {
			t.Errorf("%s %s: %d with %d bytes", row.method, row.media, got.Code, len(got.Body))
		}
	}
	var unknown strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&unknown, `,"unknown%d":1`, i)
	}
	got := w.send("POST", configMaps, asJSON, configMap("c", unknown.String()))
	if size := len(strings.Join(got.warnings(), "")); got.Code != http.StatusCreated || size > 4096 || len(got.warnings()) < 10 {
		t.Errorf("%d with %d warnings of %d bytes", got.Code, len(got.warnings()), size)
	}
}

// listen serves the world on a socket, by HTTP/1.1 or HTTP/2.
func (w *world) listen(version int) (*httptest.Server, *http.Client) {
	w.Helper()
	server := httptest.NewUnstartedServer(w.handler)
	server.EnableHTTP2 = version == 2
	if version == 1 {
		server.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	}
	server.StartTLS()
	w.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server, server.Client()
}

func TestABodyThatDoesNotComeEndsItsRequest(t *testing.T) {
	w := newWorld(t)
	for _, version := range []int{1, 2} {
		server, client := w.listen(version)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		body, open := io.Pipe()
		defer func() { _ = open.Close() }()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+configMaps+"?timeout=200ms", body)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = open.Write([]byte("{")) }()
		answer, err := client.Do(r)
		if err != nil {
			t.Fatalf("HTTP/%d: %v", version, err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusGatewayTimeout || !strings.Contains(string(text), "request did not complete within the allotted timeout") {
			t.Errorf("HTTP/%d: %d %s", version, answer.StatusCode, text)
		}
	}
}

func TestAStreamThatIsNotReadIsCut(t *testing.T) {
	server, build := newServer(t, memory.New())
	server.cfg.Limits.Stall = 200 * time.Millisecond
	w := run(t, server, build)
	for _, version := range []int{1, 2} {
		ended := make(chan struct{})
		inner := w.handler
		w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(rw, r)
			if strings.Contains(r.URL.RawQuery, "watch=1") {
				close(ended)
			}
		})
		socket, client := w.listen(version)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, socket.URL+configMaps+"?watch=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		w.handler = inner
		text := strings.Repeat("x", 900_000)
		for i := 0; ; i++ { // until buffers of both sides are full
			select {
			case <-ended:
			case <-ctx.Done():
				t.Fatalf("HTTP/%d: the watch goes on", version)
			default:
				w.shown("POST", configMaps, asJSON, configMap(fmt.Sprintf("v%d-%d", version, i), `,"data":{"k":"`+text+`"}`))
				continue
			}
			break
		}
	}
}

func TestASilentStreamIsNoStalledOne(t *testing.T) {
	server, build := newServer(t, memory.New())
	server.cfg.Limits.Stall = 50 * time.Millisecond
	w := run(t, server, build)
	w.shown("POST", configMaps, asJSON, configMap("a", ""))
	for _, version := range []int{1, 2} {
		socket, client := w.listen(version)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, socket.URL+configMaps+"?watch=1&fieldSelector=metadata.name%3Da", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(answer.Body)
		for i := range 3 {
			if !lines.Scan() {
				t.Fatalf("HTTP/%d: the watch ended after %d events: %v", version, i, lines.Err())
			}
			<-time.After(150 * time.Millisecond)
			w.shown("PATCH", configMaps+"/a", asMerge, fmt.Sprintf(`{"data":{"k":"%d-%d"}}`, version, i))
		}
		_ = answer.Body.Close()
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	w := newWorld(t, "--max-requests-inflight=1", "--max-mutating-requests-inflight=1")
	w.grant("writer", `{apiGroups: [""], resources: [configmaps], verbs: ["*"]}`)
	body, open := io.Pipe()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, configMaps, body)
	r.Header.Set(asUser, "writer")
	done := make(chan struct{})
	go func() { defer close(done); w.handler.ServeHTTP(httptest.NewRecorder(), r) }()
	if _, err := open.Write([]byte("{")); err != nil { // it is being read: the request is under way
		t.Fatal(err)
	}
	got := w.do("writer", "POST", configMaps, configMap("a", ""))
	if got.Code != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "1" || string(got.Body) != "Too many requests, please try again later.\n" {
		t.Errorf("%d %v %q", got.Code, got.Header, got.Body)
	}
	w.must("writer", "GET", configMaps, "")            // has a limit of its own
	w.must("", "POST", configMaps, configMap("b", "")) // an administrator
	w.must("", "GET", "/livez", "")                    // full is not dead
	if n := len(w.events(configMaps+"?watch=1", asJSON, 1)); n == 0 {
		t.Error("no watch while another request is under way")
	}
	metrics := string(w.must("", "GET", "/metrics", "").Body)
	for _, line := range []string{
		`apiserver_current_inflight_requests{request_kind="mutating"} 1`,
		`apiserver_request_terminations_total{code="429",component="apiserver",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
	}
	_ = open.CloseWithError(errors.New("gone"))
	<-done
	w.must("writer", "POST", configMaps, configMap("c", ""))
}

func TestRequestsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps+"?dryRun=All", asJSON, configMap("a", ""))
	w.shown("POST", configMaps, asJSON, configMap("a", ""))
	w.shown("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", ""))
	w.send("GET", configMaps+"/none", "", "")
	w.shown("GET", "/api/v1/configmaps", "", "")
	w.send("GET", "/api/v1/madeup", "", "")
	w.send("GET", "/madeup", "", "")
	w.events(configMaps+"?watch=1", asJSON, 1)
	w.must("", "GET", "/readyz", "")
	metrics := string(w.must("", "GET", "/metrics", "").Body)
	about := func(verb, scope, dryRun, code string) string {
		return fmt.Sprintf(`apiserver_request_total{code=%q,component="apiserver",dry_run=%q,group="",resource="configmaps",scope=%q,subresource="",verb=%q,version="v1"} 1`,
			code, dryRun, scope, verb)
	}
	for _, line := range []string{
		about("POST", "resource", "All", "201"), about("POST", "resource", "", "201"), about("APPLY", "resource", "", "200"),
		about("GET", "resource", "", "404"), about("LIST", "cluster", "", "200"), about("WATCH", "namespace", "", "200"),
		`apiserver_request_total{code="200",component="",dry_run="",group="",resource="",scope="",subresource="/readyz",verb="GET",version=""} 1`,
		`apiserver_request_duration_seconds_count{component="apiserver",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1"} 1`,
		`apiserver_request_duration_seconds_bucket{component="apiserver",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1",le="60"} 1`,
		`apiserver_longrunning_requests{component="apiserver",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCH",version="v1"} 0`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
	}
	if strings.Contains(metrics, "madeup") {
		t.Error("a path that a client made up is a label")
	}
	if strings.Contains(metrics, `apiserver_request_duration_seconds_count{component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCH"`) {
		t.Error("the duration of a watch is counted")
	}
}

func TestAWatchOfThePastIsRefusedInItsStream(t *testing.T) {
	s := memory.New()
	compacted(t, s, 3)
	w := newWorldOn(t, s)
	got := w.send("GET", configMaps+"?watch=1&resourceVersion=1", "", "")
	var event struct {
		Type   string
		Object struct {
			Code            int
			Reason, Message string
		}
	}
	if err := json.Unmarshal(got.Body, &event); err != nil || got.Code != http.StatusOK || event.Type != "ERROR" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if o := event.Object; o.Code != http.StatusGone || o.Reason != "Expired" || !strings.HasPrefix(o.Message, "too old resource version: 1 (") {
		t.Errorf("%+v", o)
	}
	ahead := w.send("GET", configMaps+"?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999999", "", "")
	if err := json.Unmarshal(ahead.Body, &event); err != nil || ahead.Code != http.StatusOK || event.Type != "ERROR" || event.Object.Code != http.StatusGatewayTimeout {
		t.Errorf("%d %s", ahead.Code, ahead.Body)
	}
}
