package streams

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// dialTimeout is how long a target may take to accept a connection.
const dialTimeout = 30 * time.Second

// backend is the connection to a target, with what it answered to a request.
type backend struct {
	stream
	answer *http.Response
	forget func() bool
}

// open sends a request to the target in its URL and reads the head of the answer. The connection ends with the client's request, or by end.
func open(client, request *http.Request, cfg Config) (*backend, error) {
	conn, err := dial(client.Context(), request.URL, cfg)
	if err != nil {
		return nil, fmt.Errorf("error dialing backend: %w", err)
	}
	reader := bufio.NewReader(conn)
	b := &backend{stream: stream{conn, reader}, forget: context.AfterFunc(client.Context(), func() { conn.Close() })}
	// A target may answer before it has read a body, or without: what cannot be written shows in the answer, and closing the backend ends the writing.
	go func() { _ = request.Write(conn) }()
	if b.answer, err = http.ReadResponse(reader, client); err != nil {
		b.forget()
		conn.Close()
		return nil, fmt.Errorf("error reading from backend: %w", err)
	}
	return b, nil
}

// end closes the connection. What is left of a body ends with the client's request.
func (b *backend) end() {
	b.answer.Body.Close()
	b.forget()
	b.Close()
}

func dial(ctx context.Context, target *url.URL, cfg Config) (net.Conn, error) {
	connect := cfg.Dial
	if connect == nil {
		connect = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	conn, err := connect(ctx, "tcp", address(target))
	if err != nil || !secure(target) {
		return conn, err
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		tlsConfig = cfg.TLS.Clone()
	}
	tlsConfig.NextProtos = []string{"http/1.1"} // an upgrade exists in HTTP/1.1 only
	if tlsConfig.ServerName == "" {
		tlsConfig.ServerName = target.Hostname()
	}
	wrapped := tls.Client(conn, tlsConfig)
	if err := wrapped.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return wrapped, nil
}

func secure(target *url.URL) bool { return target.Scheme == "https" || target.Scheme == "wss" }

func address(target *url.URL) string {
	if target.Port() != "" {
		return target.Host
	}
	if secure(target) {
		return net.JoinHostPort(target.Hostname(), "443")
	}
	return net.JoinHostPort(target.Hostname(), "80")
}
