package authn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// sign makes a certificate that lasts some hours; without a signer it signs itself.
func (a *authority) sign(tb testing.TB, name string, hours int, isCA bool) *authority {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(hours)), Subject: pkix.Name{CommonName: name}, NotBefore: began, NotAfter: began.Add(time.Duration(hours) * time.Hour),
		IsCA: isCA, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	signer := &authority{template, key}
	if a != nil {
		signer = a
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Certificate, &key.PublicKey, signer.key)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &authority{parsed, key}
}

func TestCertificatesAreRememberedOnlyWhileTheyAreGood(t *testing.T) {
	var nobody *authority
	ca, other := nobody.sign(t, "ca", 1000, true), nobody.sign(t, "ca", 1000, true)
	between := ca.sign(t, "between", 10, true)
	user, stranger, below := ca.sign(t, "user", 100, false), other.sign(t, "user", 100, false), between.sign(t, "below", 100, false)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate)
	s := newSignatures()
	for _, row := range []struct {
		name  string
		shown []*authority
		hour  int
		good  bool
	}{
		{"first seen", []*authority{user}, 1, true},
		{"seen again", []*authority{user}, 50, true},
		{"another CA's of the same name", []*authority{stranger}, 50, false},
		{"another CA's again", []*authority{stranger}, 50, false},
		{"over", []*authority{user}, 101, false},
		{"the clock was put back", []*authority{user}, -1, false},
		{"good as before", []*authority{user}, 99, true},
		{"without what stands between", []*authority{below}, 5, false},
		{"with it", []*authority{below, between}, 5, true},
		{"again without", []*authority{below}, 5, false},
		{"what stands between is over", []*authority{below, between}, 11, false},
	} {
		var shown []*x509.Certificate
		for _, a := range row.shown {
			shown = append(shown, a.Certificate)
		}
		if err := s.verify(shown, roots, began.Add(time.Duration(row.hour)*time.Hour)); (err == nil) != row.good {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if n := s.known.Len(); n != 2 {
		t.Errorf("%d lists are remembered, not 2", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	var nobody *authority
	ca := nobody.sign(b, "ca", 1000, true)
	shown, roots := []*x509.Certificate{ca.sign(b, "user", 100, false).Certificate}, x509.NewCertPool()
	roots.AddCert(ca.Certificate)
	b.Run("anew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := verify(shown, roots, began); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		s := newSignatures()
		for b.Loop() {
			if err := s.verify(shown, roots, began); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestACertificateTellsWhichOneItWas(t *testing.T) {
	var nobody *authority
	user := nobody.sign(t, "user", 200_000, true)
	roots := x509.NewCertPool()
	roots.AddCert(user.Certificate)
	c := &certificate{roots: roots, signed: newSignatures()}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{user.Certificate}}
	got, ok, err := c.Authenticate(r)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	want := fmt.Sprintf("X509SHA256=%x", sha256.Sum256(user.Raw))
	if id := got.Extra["authentication.kubernetes.io/credential-id"]; !slices.Equal(id, []string{want}) {
		t.Errorf("got %v, want %s", id, want)
	}
}
