package authn

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTokensInSubprotocols(t *testing.T) {
	encode := func(text string) string { return protocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, row := range []struct {
		name, upgrade string
		protocols     []string
		raw, rest     string
		fails         bool
	}{
		{"beside another", "websocket", []string{encode("t") + ", v5.channel.k8s.io"}, "t", "v5.channel.k8s.io", false},
		{"in a header of its own", "WebSocket", []string{"a,b", encode("t")}, "t", "a,b", false},
		{"alone", "websocket", []string{encode("t")}, "", "", true},
		{"twice", "websocket", []string{encode("t"), encode("t"), "a"}, "", "", true},
		{"padded", "websocket", []string{protocolPrefix + "dA==", "a"}, "", "", true},
		{"empty", "websocket", []string{protocolPrefix, "a"}, "", "", true},
		{"no text", "websocket", []string{encode("\xff"), "a"}, "", "", true},
		{"none", "websocket", []string{"a"}, "", "a", false},
		{"no WebSocket", "SPDY/3.1", []string{encode("t"), "a"}, "", "", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Connection", "keep-alive, Upgrade")
		r.Header.Set("Upgrade", row.upgrade)
		r.Header[protocolHeader] = row.protocols
		raw, rest, err := bearerToken(r)
		if raw != row.raw || rest != row.rest || (err != nil) != row.fails {
			t.Errorf("%s: %q beside %q, %v", row.name, raw, rest, err)
		}
		if _, ok, _ := New(Config{Anonymous: true}).Authenticate(r); ok == (row.raw != "" || row.fails) {
			t.Errorf("%s: a token that nobody accepts is no anonymous request", row.name)
		}
	}
}

func TestHeadersThatNameAUserAreTakenAway(t *testing.T) {
	var nobody *authority
	ca := nobody.sign(t, "ca", 200_000, true)
	proxy := ca.sign(t, "front", 200_000, false)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate)
	known := func() *FrontProxy {
		return &FrontProxy{CA: roots, AllowedNames: []string{"front"}, UserHeaders: []string{"X-Remote-User", "Own-User"}, GroupHeaders: []string{"X-Remote-Group"}, ExtraPrefixes: []string{"X-Remote-Extra-", "Own-Extra-"}}
	}
	for _, row := range []struct {
		name  string
		cfg   Config
		shown []*x509.Certificate
		user  string
	}{
		{"no front proxy is known", Config{Anonymous: true}, nil, "system:anonymous"},
		{"it is somebody else", Config{Anonymous: true, FrontProxy: known()}, nil, "system:anonymous"},
		{"it is the front proxy", Config{Anonymous: true, FrontProxy: known()}, []*x509.Certificate{proxy.Certificate}, "alice"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: row.shown}
		for _, name := range []string{"X-Remote-User", "X-Remote-Group", "X-Remote-Extra-Scopes", "X-Remote-Uid"} {
			r.Header.Set(name, "alice")
		}
		if row.cfg.FrontProxy != nil {
			r.Header.Set("Own-User", "bob")
			r.Header.Set("Own-Extra-Key", "v")
		}
		r.Header.Set("X-Request-Id", "kept")
		user, ok, err := New(row.cfg).Authenticate(r)
		if err != nil || !ok || user.Name != row.user {
			t.Errorf("%s: %v %v %v", row.name, user, ok, err)
		}
		if len(r.Header) != 1 {
			t.Errorf("%s: left is %v", row.name, r.Header)
		}
	}
}
