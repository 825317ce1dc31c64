// Package null is targets on which the suite must not pass: proxies that tamper with what a real control plane answers.
//
//   - not-found answers 404 to everything, and empty answers 200 with {} to everything: a spec that passes there looks at nothing. Both leave
//     namespaces and their default ServiceAccounts alone, the stage of every spec: what fails is then the spec itself.
//   - frozen-watch accepts every watch and delivers nothing: specs about watches must fail there.
//   - limit-ignored answers a list whole, whatever its limit; ghosts shows what was deleted when asked for it by name; stuttering-watch delivers every
//     event twice, and old-news that of a change with the content from before it: each for the one spec that must see it.
//   - stale-cache answers every read in a namespace as it was before the last write to it: specs that read what they wrote must fail there.
//
// The statement that the test of this package holds the suite to: no target is CONFORMANT; every requirement of the profile api fails on not-found
// and on empty; on the others those that Target.Fail names fail. It is fed a plane and feeds the suite a URL.
package null

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/plumb-k8s/plumb/conformance/kills/plane"
)

// Target is one way to tamper.
type Target struct {
	Name string
	// Bug says in a sentence what such a cluster does.
	Bug string
	// Fail are the requirements that must fail on it; nil is every one of the profile api.
	Fail   []string
	tamper func(*upstream) http.Handler
}

// Targets is the list of all.
func Targets() []Target {
	return []Target{
		{Name: "not-found", Bug: "Everything is answered with 404.", tamper: func(real *upstream) http.Handler { return staged(real, notFound) }},
		{Name: "empty", Bug: "Everything is answered with 200 and {}.", tamper: func(real *upstream) http.Handler { return staged(real, empty) }},
		{Name: "frozen-watch", Bug: "Watches are accepted and deliver nothing.", Fail: []string{"API-012", "API-013", "API-014"}, tamper: frozenWatch},
		{Name: "limit-ignored", Bug: "Lists are answered whole, whatever their limit.", Fail: []string{"API-010"}, tamper: limitIgnored},
		{Name: "ghosts", Bug: "What was deleted is still shown to who asks for it by name.", Fail: []string{"API-007", "API-009"}, tamper: ghosts},
		{Name: "stuttering-watch", Bug: "Watches deliver every event twice.", Fail: []string{"API-012"}, tamper: stutteringWatch},
		{Name: "old-news", Bug: "Watches tell of a change with the content from before it.", Fail: []string{"API-012"}, tamper: oldNews},
		{Name: "stale-cache", Bug: "Reads show a namespace as it was before the last write to it.", tamper: staleCache, Fail: []string{
			"API-001", "API-002", "API-004", "API-005", "API-007", "API-008", "API-010", "API-011", "API-016", "API-019",
		}},
	}
}

// staged lets a spec have its namespace, and answers everything else in one way.
func staged(real *upstream, rest http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		namespaces := len(words) >= 3 && words[1] == "v1" && words[2] == "namespaces"
		account := len(words) == 6 && words[4] == "serviceaccounts" && words[5] == "default"
		if namespaces && (len(words) <= 4 || account) {
			real.ServeHTTP(w, r)
			return
		}
		rest(w, r)
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNotFound, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"NotFound","code":404}`)
}

func empty(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{}`) }

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// isWatch tells whether a request asks for a watch.
func isWatch(r *http.Request) bool {
	asked, err := strconv.ParseBool(r.URL.Query().Get("watch"))
	return err == nil && asked
}

func frozenWatch(real *upstream) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isWatch(r) {
			real.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
}

// upstream is the real apiserver. A client that showed a certificate is let through as the administrator, any other with the token it brought.
type upstream struct {
	admin, others *httputil.ReverseProxy
}

func newUpstream(p *plane.Plane) (*upstream, error) {
	to, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(p.File("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	admin, err := tls.LoadX509KeyPair(p.File("admin.crt"), p.File("admin.key"))
	if err != nil {
		return nil, err
	}
	through := func(certificates ...tls.Certificate) *httputil.ReverseProxy {
		return &httputil.ReverseProxy{
			Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
			Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}, ForceAttemptHTTP2: true},
			FlushInterval: -1,
		}
	}
	return &upstream{admin: through(admin), others: through()}, nil
}

// ServeHTTP passes a request on as it is.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) { u.of(r).ServeHTTP(w, r) }

func (u *upstream) of(r *http.Request) *httputil.ReverseProxy {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return u.admin
	}
	return u.others
}

// Serve stands before a plane until the context ends, and returns the URL at which clients reach it.
func (t Target) Serve(ctx context.Context, p *plane.Plane) (string, error) {
	real, err := newUpstream(p)
	if err != nil {
		return "", fmt.Errorf("null target %s: %w", t.Name, err)
	}
	certificate, err := tls.LoadX509KeyPair(p.File("server.crt"), p.File("server.key"))
	if err != nil {
		return "", fmt.Errorf("null target %s: %w", t.Name, err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert, NextProtos: []string{"h2", "http/1.1"},
	})
	if err != nil {
		return "", fmt.Errorf("null target %s: %w", t.Name, err)
	}
	server := &http.Server{Handler: t.tamper(real), BaseContext: func(net.Listener) context.Context { return ctx }}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return "https://" + listener.Addr().String(), nil
}
