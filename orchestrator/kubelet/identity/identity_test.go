package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// authority signs what it is asked to, after a few looks; deny says why not.
type authority struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	asked *certificatesv1.CertificateSigningRequest
	looks int
	deny  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t: t, key: key}
}

func (a *authority) sign(subject pkix.Name, public any, from, to time.Time) []byte {
	a.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pair of a node, valid from began for so long.
func (a *authority) pair(life time.Duration) (cert, key []byte) {
	a.t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		a.t.Fatal(err)
	}
	cert = a.sign(pkix.Name{CommonName: "system:node:n", Organization: []string{"system:nodes"}}, own.Public(), began, began.Add(life))
	return cert, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

func (a *authority) Create(_ context.Context, r *certificatesv1.CertificateSigningRequest, _ metav1.CreateOptions) (*certificatesv1.CertificateSigningRequest, error) {
	a.asked = r.DeepCopy()
	a.asked.Name = r.GenerateName + "1"
	return a.asked, nil
}

func (a *authority) Get(_ context.Context, name string, _ metav1.GetOptions) (*certificatesv1.CertificateSigningRequest, error) {
	a.looks++
	answer := a.asked.DeepCopy()
	if name != answer.Name || a.looks < 3 {
		return answer, nil
	}
	if a.deny != "" {
		answer.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateDenied, Status: corev1.ConditionTrue, Message: a.deny}}
		return answer, nil
	}
	block, _ := pem.Decode(answer.Spec.Request)
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	answer.Status.Certificate = a.sign(request.Subject, request.PublicKey, began, began.Add(400*time.Hour))
	return answer, nil
}

func rotator(dir string, a *authority) *Rotator {
	return &Rotator{
		Dir: dir, Requests: a, Poll: time.Millisecond, Patience: time.Minute, Retry: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return began.Add(95 * time.Hour) },
	}
}

// rotateCertificates was ignored: a node was shut out when its certificate ran out.
func TestACertificateIsRenewedInTime(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	api := &rest.Config{}
	api.CertData, api.KeyData = a.pair(100 * time.Hour)
	if err := Adopt(api, dir); err != nil {
		t.Fatal(err)
	}
	r := rotator(dir, a)
	if left, err := r.left(); err != nil || left > 0 {
		t.Fatalf("after 95 of 100 hours there are %v left, %v", left, err)
	}
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.asked.Spec.SignerName != "kubernetes.io/kube-apiserver-client-kubelet" || len(a.asked.Spec.Usages) != 2 {
		t.Errorf("asked %+v", a.asked.Spec)
	}
	now, err := load(api.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	if now.Leaf.Subject.CommonName != "system:node:n" || now.Leaf.Subject.Organization[0] != "system:nodes" || !now.Leaf.NotAfter.Equal(began.Add(400*time.Hour)) {
		t.Errorf("clients use %v until %v", now.Leaf.Subject, now.Leaf.NotAfter)
	}
	if left, err := r.left(); err != nil || left < 100*time.Hour {
		t.Errorf("the new one has %v left, %v", left, err)
	}
	if info, err := os.Stat(api.CertFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestARefusedRequestChangesNothing(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	a.deny = "not you"
	api := &rest.Config{}
	api.CertData, api.KeyData = a.pair(100 * time.Hour)
	if err := Adopt(api, dir); err != nil {
		t.Fatal(err)
	}
	if err := rotator(dir, a).renew(t.Context()); err == nil || !strings.Contains(err.Error(), "Denied: not you") {
		t.Errorf("%v", err)
	}
	if now, err := load(api.CertFile); err != nil || !now.Leaf.NotAfter.Equal(began.Add(100*time.Hour)) {
		t.Errorf("%v", err)
	}
}

func TestOfTwoCertificatesTheLongerIsAdopted(t *testing.T) {
	a := newAuthority(t)
	for name, row := range map[string]struct{ kept, given, want time.Duration }{
		"none is kept":        {0, 50 * time.Hour, 50 * time.Hour},
		"the kept is renewed": {90 * time.Hour, 50 * time.Hour, 90 * time.Hour},
		"the kept is old":     {40 * time.Hour, 50 * time.Hour, 50 * time.Hour},
		"none is given":       {40 * time.Hour, 0, 40 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			dir, api := t.TempDir(), &rest.Config{}
			if row.kept > 0 {
				cert, key := a.pair(row.kept)
				if err := store(dir, began, append(cert, key...)); err != nil {
					t.Fatal(err)
				}
			}
			if row.given > 0 {
				api.CertData, api.KeyData = a.pair(row.given)
			}
			if err := Adopt(api, dir); err != nil {
				t.Fatal(err)
			}
			now, err := load(filepath.Join(dir, current))
			if err != nil || !now.Leaf.NotAfter.Equal(began.Add(row.want)) || len(api.CertData) > 0 || api.CertFile != filepath.Join(dir, current) {
				t.Errorf("%v until %v, want %v", err, now.Leaf.NotAfter, row.want)
			}
		})
	}
	if err := Adopt(&rest.Config{}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "rotateCertificates") {
		t.Errorf("there is none: %v", err)
	}
}
