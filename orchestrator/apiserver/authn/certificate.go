package authn

import (
	"crypto/x509"
	"fmt"
	"net/http"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// certificate knows users by client certificates that a CA signed: the common name is the user, the organizations are the groups.
type certificate struct {
	roots *x509.CertPool
}

// Authenticate implements Authenticator.
func (c *certificate) Authenticate(r *http.Request) (*request.User, bool, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	if err := verify(r.TLS.PeerCertificates, c.roots); err != nil {
		return nil, false, err
	}
	leaf := r.TLS.PeerCertificates[0]
	if leaf.Subject.CommonName == "" {
		return nil, false, nil
	}
	return &request.User{Name: leaf.Subject.CommonName, Groups: leaf.Subject.Organization}, true, nil
}

// verify checks that a CA signed the first certificate, for use by a client; the others may stand between.
func verify(chain []*x509.Certificate, roots *x509.CertPool) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, between := range chain[1:] {
		options.Intermediates.AddCert(between)
	}
	if _, err := chain[0].Verify(options); err != nil {
		return fmt.Errorf("client certificate of %q: %w", chain[0].Subject.CommonName, err)
	}
	return nil
}
