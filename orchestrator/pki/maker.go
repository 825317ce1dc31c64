package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// validity of everything made here: clusters of this kind live for hours, and nothing renews their certificates.
const validity = 10 * 365 * 24 * time.Hour

// identity is a certificate's subject: user and groups where a client shows it.
type identity struct {
	name   string
	groups []string
}

// authority is a CA.
type authority struct {
	parsed      *x509.Certificate
	certificate []byte // DER
	key         *ecdsa.PrivateKey
}

// maker collects the files of a PKI. After the first error it makes nothing more.
type maker struct {
	cluster              *description.Cluster
	now                  time.Time
	ca, etcd, frontProxy *authority
	tokens               *ecdsa.PrivateKey
	files                []File
	err                  error
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// template is what all certificates have in common.
func template(subject identity, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: subject.name, Organization: subject.groups},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}, nil
}

func newAuthority(name string, now time.Time) (*authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("key of CA %s: %w", name, err)
	}
	t, err := template(identity{name: name}, now)
	if err != nil {
		return nil, err
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage |= x509.KeyUsageCertSign
	t.DNSNames = []string{name}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate of CA %s: %w", name, err)
	}
	parsed, err := x509.ParseCertificate(der)
	return &authority{parsed: parsed, certificate: der, key: key}, err
}

// issue signs a certificate for a new key.
func (a *authority) issue(subject identity, now time.Time, hosts []string, usage ...x509.ExtKeyUsage) (der []byte, key *ecdsa.PrivateKey, err error) {
	if key, err = newKey(); err != nil {
		return nil, nil, err
	}
	t, err := template(subject, now)
	if err != nil {
		return nil, nil, err
	}
	t.ExtKeyUsage = usage
	t.DNSNames, t.IPAddresses = splitHosts(hosts)
	der, err = x509.CreateCertificate(rand.Reader, t, a.parsed, &key.PublicKey, a.key)
	return der, key, err
}

// serving makes NAME.crt and NAME.key for a server. etcd's gateway and peers also show theirs as clients.
func (m *maker) serving(by *authority, name string, subject identity, hosts []string) {
	m.pair(by, name, subject, hosts, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

// client makes NAME.crt and NAME.key for a client.
func (m *maker) client(by *authority, name string, subject identity) {
	m.pair(by, name, subject, nil, x509.ExtKeyUsageClientAuth)
}

func (m *maker) pair(by *authority, name string, subject identity, hosts []string, usage ...x509.ExtKeyUsage) {
	if m.err != nil {
		return
	}
	der, key, err := by.issue(subject, m.now, hosts, usage...)
	if err != nil {
		m.err = fmt.Errorf("certificate %s: %w", name, err)
		return
	}
	m.public(name+".crt", der)
	m.private(name+".key", key)
}

func (m *maker) add(name string, data []byte, mode int64) {
	m.files = append(m.files, File{Name: name, Data: data, Mode: mode})
}

func (m *maker) public(name string, der []byte) {
	m.add(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func (m *maker) private(name string, key *ecdsa.PrivateKey) {
	data, err := keyPEM(key)
	if err != nil {
		m.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	m.add(name, data, 0o600)
}

func (m *maker) publicKey(name string, key *ecdsa.PrivateKey) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		m.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	m.add(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
