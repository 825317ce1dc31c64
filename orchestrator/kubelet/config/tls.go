package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
)

var versions = map[string]uint16{"VersionTLS10": tls.VersionTLS10, "VersionTLS11": tls.VersionTLS11, "VersionTLS12": tls.VersionTLS12, "VersionTLS13": tls.VersionTLS13}

// TLS puts what the configuration says of versions, ciphers and key exchange into the server's.
func TLS(c *Config, to *tls.Config) error {
	if c.TLSMinVersion != "" {
		version, ok := versions[c.TLSMinVersion]
		if !ok {
			return fmt.Errorf("tlsMinVersion: %q must be one of VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13", c.TLSMinVersion)
		}
		to.MinVersion = version
	}
	known := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	for _, name := range c.TLSCipherSuites {
		i := slices.IndexFunc(known, func(s *tls.CipherSuite) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("tlsCipherSuites: %q is not known: write it as Go's crypto/tls does", name)
		}
		to.CipherSuites = append(to.CipherSuites, known[i].ID)
	}
	for _, id := range c.TLSCurvePreferences {
		if id <= 0 || id > 0xffff {
			return errors.New("tlsCurvePreferences: must be numbers of Go's crypto/tls CurveID")
		}
		to.CurvePreferences = append(to.CurvePreferences, tls.CurveID(id))
	}
	return nil
}
