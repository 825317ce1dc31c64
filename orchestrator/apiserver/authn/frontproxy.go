package authn

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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

	once   sync.Once
	signed *signatures
}

// Authenticate implements Authenticator.
func (f *FrontProxy) Authenticate(r *http.Request) (*request.User, bool, error) {
	name := firstHeader(r.Header, f.UserHeaders)
	if name == "" || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	f.once.Do(func() { f.signed = newSignatures() })
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

// remote begins the customary names of the headers.
const remote = "X-Remote-"

// strip removes the headers, so that nothing behind believes them: neither ones that were used here, nor ones that a client made up. Those of the
// customary names go even when no front proxy is known (f is nil).
func (f *FrontProxy) strip(h http.Header) {
	for name := range h {
		if f.names(name) {
			delete(h, name)
		}
	}
}

// names tells whether a header would name a user.
func (f *FrontProxy) names(header string) bool {
	begins := func(prefix string) bool {
		return len(header) > len(prefix) && strings.EqualFold(header[:len(prefix)], prefix)
	}
	if begins(remote) {
		return true
	}
	if f == nil {
		return false
	}
	same := func(name string) bool { return strings.EqualFold(name, header) }
	return slices.ContainsFunc(f.UserHeaders, same) || slices.ContainsFunc(f.UIDHeaders, same) || slices.ContainsFunc(f.GroupHeaders, same) ||
		slices.ContainsFunc(f.ExtraPrefixes, begins)
}
