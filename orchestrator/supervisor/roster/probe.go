package roster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// probeTimeout bounds one question.
const probeTimeout = time.Second

// Check returns the question that a probe asks; nil for a probe that asks nothing. Files are read when it is first asked.
func (p Probe) Check() func(context.Context) error {
	switch {
	case p.Socket != "":
		return p.dial
	case p.URL != "":
		var client *http.Client
		return func(ctx context.Context) (err error) {
			if client == nil {
				if client, err = p.client(); err != nil {
					return err
				}
			}
			return ask(ctx, client, p.URL)
		}
	}
	return nil
}

func (p Probe) dial(ctx context.Context) error {
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(ctx, "unix", p.Socket)
	if err != nil {
		return err
	}
	return conn.Close()
}

// client makes a connection for every question: a probe must not be answered by a process that has gone.
func (p Probe) client() (*http.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.CA == "" {
		// Only loopback is asked so: components make certificates of their own for it, and health is no secret.
		settings.InsecureSkipVerify = true
	} else {
		pem, err := os.ReadFile(p.CA)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AppendCertsFromPEM(pem)
	}
	if p.Cert != "" {
		pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			return nil, err
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Timeout: probeTimeout, Transport: &http.Transport{TLSClientConfig: settings, DisableKeepAlives: true}}, nil
}

func ask(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
