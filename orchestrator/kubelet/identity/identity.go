// Package identity keeps the client certificate by which a node is known to the API from running out: it asks the API for a new one in time.
//
// It owns kubelet-client-current.pem in the certificate folder, and the dated files that it points to (stock's names, so that kubelets can be
// exchanged). Clients read that file again by themselves. It is fed the kubeconfig's certificate, and asks for CertificateSigningRequests only.
package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

const current = "kubelet-client-current.pem"

// Requests to have a certificate signed.
type Requests interface {
	Create(ctx context.Context, request *certificatesv1.CertificateSigningRequest, o metav1.CreateOptions) (*certificatesv1.CertificateSigningRequest, error)
	Get(ctx context.Context, name string, o metav1.GetOptions) (*certificatesv1.CertificateSigningRequest, error)
}

// Rotator of one node's certificate.
type Rotator struct {
	// Dir is the certificate folder.
	Dir      string
	Requests Requests
	// Poll is how often a request is looked at, Patience how long, and Retry how long it is before another one.
	Poll, Patience, Retry time.Duration
	Now                   func() time.Time
	Logger                *slog.Logger
}

// Adopt makes api use the certificate in dir, which is the kubeconfig's until it was renewed: of the two the one that lasts longer.
func Adopt(api *rest.Config, dir string) error {
	file := filepath.Join(dir, current)
	kept, err := load(file)
	if api.CertFile == file && len(api.CertData) == 0 {
		return err // what the kubeconfig names is what is renewed
	}
	given := rest.CopyConfig(api)
	if err := rest.LoadTLSFiles(given); err != nil {
		return fmt.Errorf("read the kubeconfig's certificate: %w", err)
	}
	switch {
	case len(given.CertData) > 0:
		fresh, invalid := tls.X509KeyPair(given.CertData, given.KeyData)
		if invalid != nil {
			return fmt.Errorf("the kubeconfig's certificate: %w", invalid)
		}
		if err == nil && !fresh.Leaf.NotAfter.After(kept.Leaf.NotAfter) {
			break
		}
		if err := store(dir, fresh.Leaf.NotBefore, slices.Concat(given.CertData, []byte("\n"), given.KeyData)); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("rotateCertificates: neither the kubeconfig nor %s has a client certificate that could be renewed: give one, or say rotateCertificates: false", file)
	}
	api.CertFile, api.KeyFile, api.CertData, api.KeyData = file, file, nil, nil
	return nil
}

func load(file string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return &pair, nil
}

// Run renews until ctx ends.
func (r *Rotator) Run(ctx context.Context) {
	for {
		wait, err := r.left()
		if err == nil && wait <= 0 {
			if err = r.renew(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.Logger.Warn("renew the client certificate", "err", err)
			wait = r.Retry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// left until the certificate should be renewed.
func (r *Rotator) left() (time.Duration, error) {
	pair, err := load(filepath.Join(r.Dir, current))
	if err != nil {
		return 0, err
	}
	return due(pair.Leaf, rand.Float64()).Sub(r.Now()), nil
}

// due is between 70 and 90 percent of a certificate's life, so that the nodes of a cluster do not all ask at once; chance is from 0 to 1.
func due(c *x509.Certificate, chance float64) time.Time {
	life := c.NotAfter.Sub(c.NotBefore)
	return c.NotBefore.Add(time.Duration(float64(life) * (0.7 + 0.2*chance)))
}

// store writes a certificate with its key, and lets current name it.
func store(dir string, at time.Time, data []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := "kubelet-client-" + at.UTC().Format("2006-01-02-15-04-05") + ".pem"
	next := filepath.Join(dir, current+".next")
	err := errors.Join(os.RemoveAll(next), os.WriteFile(filepath.Join(dir, name), data, 0o600), os.Symlink(name, next))
	if err == nil {
		err = os.Rename(next, filepath.Join(dir, current))
	}
	if err != nil {
		return fmt.Errorf("keep a certificate in %s: %w", dir, err)
	}
	return nil
}
