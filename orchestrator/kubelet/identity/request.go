package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// renew asks for a certificate of the same name with a new key, and waits for it.
func (r *Rotator) renew(ctx context.Context) error {
	old, err := load(filepath.Join(r.Dir, current))
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: old.Leaf.Subject}, key)
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	made, err := r.Requests.Create(ctx, &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "csr-"},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), SignerName: certificatesv1.KubeAPIServerClientKubeletSignerName,
			Usages: []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a certificate: %w", err)
	}
	signed, err := r.signed(ctx, made.Name)
	if err != nil {
		return fmt.Errorf("request %s: %w", made.Name, err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
	fresh, err := tls.X509KeyPair(signed, private)
	if err != nil {
		return fmt.Errorf("request %s: what was signed: %w", made.Name, err)
	}
	if !fresh.Leaf.NotAfter.After(r.Now()) {
		return fmt.Errorf("request %s: the new certificate has run out at %s", made.Name, fresh.Leaf.NotAfter)
	}
	if err := store(r.Dir, r.Now(), append(signed, private...)); err != nil {
		return err
	}
	r.Logger.Info("the client certificate was renewed", "until", fresh.Leaf.NotAfter)
	return nil
}

// signed waits until a request is answered.
func (r *Rotator) signed(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	tick := time.NewTicker(r.Poll)
	defer tick.Stop()
	for {
		request, err := r.Requests.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for _, c := range request.Status.Conditions {
			if c.Status != corev1.ConditionFalse && (c.Type == certificatesv1.CertificateDenied || c.Type == certificatesv1.CertificateFailed) {
				return nil, fmt.Errorf("%s: %s", c.Type, c.Message)
			}
		}
		if len(request.Status.Certificate) > 0 {
			return request.Status.Certificate, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("nobody signed it in time")
		case <-tick.C:
		}
	}
}
