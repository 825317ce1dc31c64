package authn

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// certificate knows users by client certificates that a CA signed: the common name is the user, the organizations are the groups.
type certificate struct {
	roots  *x509.CertPool
	signed signatures
}

// Authenticate implements Authenticator.
func (c *certificate) Authenticate(r *http.Request) (*request.User, bool, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	if err := c.signed.verify(r.TLS.PeerCertificates, c.roots, time.Now()); err != nil {
		return nil, false, err
	}
	leaf := r.TLS.PeerCertificates[0]
	if leaf.Subject.CommonName == "" {
		return nil, false, nil
	}
	id := fmt.Sprintf("X509SHA256=%x", sha256.Sum256(leaf.Raw))
	return &request.User{Name: leaf.Subject.CommonName, Groups: leaf.Subject.Organization, Extra: map[string][]string{token.ExtraCredentialID: {id}}}, true, nil
}

// signatures remembers certificates that a CA was found to have signed, until they end: verifying one costs 80 us, and a connection shows the
// same one with each request. A refusal is not remembered. The zero value is ready.
type signatures struct {
	mu sync.Mutex
	// known by the bytes of the certificates that were shown.
	known map[string]period
}

// period in which all certificates of a chain are valid.
type period struct{ from, until time.Time }

// maxSignatures bounds what is remembered; beyond it everything is forgotten at once.
const maxSignatures = 4096

// verify checks that a CA signed the first certificate, for use by a client; the others may stand between.
func (s *signatures) verify(shown []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	var key []byte
	for _, c := range shown {
		key = append(key, c.Raw...) // DER tells its own length: no two lists look alike
	}
	s.mu.Lock()
	p, ok := s.known[string(key)]
	s.mu.Unlock()
	if ok && !now.Before(p.from) && !now.After(p.until) {
		return nil
	}
	p, err := verify(shown, roots, now)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSignatures {
		s.known = map[string]period{}
	}
	s.known[string(key)] = p
	return nil
}

// verify tells in which period the certificates are good.
func verify(shown []*x509.Certificate, roots *x509.CertPool, now time.Time) (period, error) {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, between := range shown[1:] {
		options.Intermediates.AddCert(between)
	}
	chains, err := shown[0].Verify(options)
	if err != nil {
		return period{}, fmt.Errorf("client certificate of %q: %w", shown[0].Subject.CommonName, err)
	}
	p := period{from: shown[0].NotBefore, until: shown[0].NotAfter}
	for _, c := range chains[0] {
		if c.NotBefore.After(p.from) {
			p.from = c.NotBefore
		}
		if c.NotAfter.Before(p.until) {
			p.until = c.NotAfter
		}
	}
	return p, nil
}
