package authn

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// FrontProxy names the user that a trusted proxy (another apiserver, which aggregates this one) authenticated.
type FrontProxy struct {
	// CA verifies the proxy's own client certificate.
	CA *x509.CertPool
	// AllowedNames are common names of proxies; empty allows every certificate of CA.
	AllowedNames []string
	// UserHeaders, UIDHeaders, GroupHeaders and ExtraPrefixes are where the user stands: X-Remote-User and its likes.
	UserHeaders, UIDHeaders, GroupHeaders, ExtraPrefixes []string

	signed signatures
}

// Authenticate implements Authenticator.
func (f *FrontProxy) Authenticate(r *http.Request) (*request.User, bool, error) {
	name := firstHeader(r.Header, f.UserHeaders)
	if name == "" || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	if err := f.signed.verify(r.TLS.PeerCertificates, f.CA, time.Now()); err != nil {
		return nil, false, fmt.Errorf("verify the front proxy's certificate: %w", err)
	}
	if cn := r.TLS.PeerCertificates[0].Subject.CommonName; len(f.AllowedNames) > 0 && !slices.Contains(f.AllowedNames, cn) {
		return nil, false, fmt.Errorf("x509: subject with cn=%s is not in the allowed list", cn)
	}
	user := &request.User{Name: name, UID: firstHeader(r.Header, f.UIDHeaders), Extra: f.extra(r.Header)}
	for _, h := range f.GroupHeaders {
		user.Groups = append(user.Groups, r.Header.Values(h)...)
	}
	f.strip(r.Header)
	return user, true, nil
}

func firstHeader(h http.Header, names []string) string {
	for _, name := range names {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return ""
}

func (f *FrontProxy) extra(h http.Header) map[string][]string {
	extra := map[string][]string{}
	for name, values := range h {
		for _, prefix := range f.ExtraPrefixes {
			if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
				key := strings.ToLower(name[len(prefix):])
				if plain, err := url.PathUnescape(key); err == nil {
					key = plain
				}
				extra[key] = append(extra[key], values...)
			}
		}
	}
	return extra
}

// strip removes the headers once they are used, so that nothing behind believes them again.
func (f *FrontProxy) strip(h http.Header) {
	for _, names := range [][]string{f.UserHeaders, f.UIDHeaders, f.GroupHeaders} {
		for _, name := range names {
			h.Del(name)
		}
	}
	for name := range h {
		for _, prefix := range f.ExtraPrefixes {
			if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
				delete(h, name)
			}
		}
	}
}
