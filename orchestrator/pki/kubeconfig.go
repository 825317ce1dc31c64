package pki

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
)

// kubeconfigFormat is a kubeconfig with one cluster, user and context; written out because it needs none of client-go's machinery.
const kubeconfigFormat = `apiVersion: v1
kind: Config
clusters:
- name: %[1]q
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[4]q
  user:
    client-certificate-data: %[5]s
    client-key-data: %[6]s
contexts:
- name: %[7]q
  context:
    cluster: %[1]q
    user: %[4]q
current-context: %[7]q
`

// kubeconfig makes a kubeconfig of a client with a certificate of its own.
func (m *maker) kubeconfig(name, server string, subject identity) {
	if m.err != nil {
		return
	}
	der, key, err := m.ca.issue(subject, m.now, nil, x509.ExtKeyUsageClientAuth)
	if err != nil {
		m.err = fmt.Errorf("kubeconfig %s: %w", name, err)
		return
	}
	private, err := keyPEM(key)
	if err != nil {
		m.err = fmt.Errorf("kubeconfig %s: %w", name, err)
		return
	}
	encode := base64.StdEncoding.EncodeToString
	certificate := func(der []byte) string {
		return encode(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	text := fmt.Sprintf(kubeconfigFormat, m.cluster.Name, server, certificate(m.ca.certificate), subject.name,
		certificate(der), encode(private), subject.name+"@"+m.cluster.Name)
	m.add(name, []byte(text), 0o600)
}
