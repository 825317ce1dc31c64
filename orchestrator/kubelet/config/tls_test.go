package config

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestTLS(t *testing.T) {
	to := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := TLS(&Config{}, to); err != nil || to.MinVersion != tls.VersionTLS12 || to.CipherSuites != nil {
		t.Errorf("nothing is said: %v, %v", to, err)
	}
	c := &Config{TLSMinVersion: "VersionTLS13", TLSCipherSuites: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, TLSCurvePreferences: []int32{29}}
	if err := TLS(c, to); err != nil || to.MinVersion != tls.VersionTLS13 || !slices.Equal(to.CipherSuites, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}) ||
		!slices.Equal(to.CurvePreferences, []tls.CurveID{tls.X25519}) {
		t.Errorf("%v, %v", to, err)
	}
	for says, c := range map[string]*Config{
		"tlsMinVersion": {TLSMinVersion: "1.3"}, "tlsCipherSuites": {TLSCipherSuites: []string{"AES"}}, "tlsCurvePreferences": {TLSCurvePreferences: []int32{-1}},
	} {
		if err := TLS(c, &tls.Config{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
