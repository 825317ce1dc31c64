package plane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// secrets are the files of one control plane: a CA, a serving certificate for 127.0.0.1, those of two clients, and the key of ServiceAccount tokens.
type secrets struct {
	dir string
	ca  *x509.Certificate
	key crypto.Signer
}

// makeSecrets writes all of them into a folder.
func makeSecrets(dir string) (*secrets, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	s := &secrets{dir: dir, key: key, ca: template("plumb-kills-ca")}
	s.ca.IsCA, s.ca.BasicConstraintsValid, s.ca.KeyUsage, s.ca.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	der, err := x509.CreateCertificate(rand.Reader, s.ca, s.ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := s.write("ca.crt", "CERTIFICATE", der); err != nil {
		return nil, err
	}
	server := template("kube-apiserver")
	server.IPAddresses, server.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	admin, controllers := template("plumb-admin", "system:masters"), template("system:kube-controller-manager")
	for name, wanted := range map[string]*x509.Certificate{"server": server, "admin": admin, "controllers": controllers} {
		if err := s.issue(name, wanted); err != nil {
			return nil, fmt.Errorf("certificate of %s: %w", name, err)
		}
	}
	return s, s.tokenKey()
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func template(name string, groups ...string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: groups},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (s *secrets) issue(name string, wanted *x509.Certificate) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, wanted, s.ca, key.Public(), s.key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := s.write(name+".key", "EC PRIVATE KEY", private); err != nil {
		return err
	}
	return s.write(name+".crt", "CERTIFICATE", der)
}

// tokenKey writes the pair that signs and verifies ServiceAccount tokens.
func (s *secrets) tokenKey() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := s.write("sa.key", "EC PRIVATE KEY", private); err != nil {
		return err
	}
	return s.write("sa.pub", "PUBLIC KEY", public)
}

func (s *secrets) file(name string) string { return filepath.Join(s.dir, name) }

func (s *secrets) write(name, kind string, der []byte) error {
	return os.WriteFile(s.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// kubeconfig directs a client, by the name of its certificate, at a server.
func (s *secrets) kubeconfig(client, server string) ([]byte, error) {
	cfg := clientcmdapi.NewConfig()
	var err error
	read := func(name string) []byte {
		data, failed := os.ReadFile(s.file(name))
		if failed != nil {
			err = failed
		}
		return data
	}
	cfg.Clusters["plane"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: read("ca.crt")}
	cfg.AuthInfos[client] = &clientcmdapi.AuthInfo{ClientCertificateData: read(client + ".crt"), ClientKeyData: read(client + ".key")}
	cfg.Contexts["plane"] = &clientcmdapi.Context{Cluster: "plane", AuthInfo: client}
	cfg.CurrentContext = "plane"
	if err != nil {
		return nil, err
	}
	return clientcmd.Write(*cfg)
}
