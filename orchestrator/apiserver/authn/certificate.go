package authn

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/generations"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// certificate knows users by client certificates that a CA signed: the common name is the user, the organizations are the groups.
type certificate struct {
	roots  *x509.CertPool
	signed *signatures
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
// same one with each request. A refusal is not remembered.
type signatures struct {
	// known by the hash of the certificates that were shown.
	known generations.Cache[[sha256.Size]byte, period]
}

// period in which all certificates of a chain are valid.
type period struct{ from, until time.Time }

// maxSignatures bounds a generation of those that are remembered.
const maxSignatures = 2048

func newSignatures() *signatures {
	return &signatures{known: generations.Cache[[sha256.Size]byte, period]{Limit: maxSignatures}}
}

// verify checks that a CA signed the first certificate, for use by a client; the others may stand between.
func (s *signatures) verify(shown []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	key := fingerprint(shown)
	if p, ok := s.known.Get(key); ok && !now.Before(p.from) && !now.After(p.until) {
		return nil
	}
	p, err := verify(shown, roots, now)
	if err != nil {
		return err
	}
	s.known.Put(key, p, 1)
	return nil
}

// fingerprint of a list of certificates. DER tells its own length: no two lists look alike.
func fingerprint(shown []*x509.Certificate) [sha256.Size]byte {
	if len(shown) == 1 {
		return sha256.Sum256(shown[0].Raw)
	}
	var all []byte
	for _, c := range shown {
		all = append(all, c.Raw...)
	}
	return sha256.Sum256(all)
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
