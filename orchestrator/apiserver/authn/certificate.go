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
	leaf := r.TLS.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: c.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, between := range r.TLS.PeerCertificates[1:] {
		options.Intermediates.AddCert(between)
	}
	if _, err := leaf.Verify(options); err != nil {
		return nil, false, fmt.Errorf("client certificate of %q: %w", leaf.Subject.CommonName, err)
	}
	if leaf.Subject.CommonName == "" {
		return nil, false, nil
	}
	return &request.User{Name: leaf.Subject.CommonName, Groups: leaf.Subject.Organization}, true, nil
}
