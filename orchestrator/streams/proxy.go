package streams

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config says how a target is reached. The zero value dials plain TCP and believes no https target.
type Config struct {
	// Dial opens the TCP connection; nil is a net.Dialer with a 30 s timeout.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is used for https targets; its ServerName defaults to the target's host.
	TLS *tls.Config
	// Transport carries requests that ask for no upgrade; nil opens, by Dial and TLS, a connection for the one request.
	Transport http.RoundTripper
	// Header is added to the request that the target sees, over what the client sent.
	Header http.Header
	// Refused, if set, answers in place of a target that neither switched protocols nor succeeded; text is the beginning of what it said.
	Refused func(w http.ResponseWriter, r *http.Request, code int, text string)
	// Fail answers a client whose target could not be reached; nil writes a plain 502.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// maxRefusal is how much of a refusal's text is read, in bytes.
const maxRefusal = 2048

// IsUpgrade is true for a request that wants its connection to become something other than HTTP.
func IsUpgrade(r *http.Request) bool {
	for _, value := range r.Header.Values("Connection") {
		for _, token := range strings.Split(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return r.Header.Get("Upgrade") != ""
			}
		}
	}
	return false
}

// Proxy repeats a request to target. After the 101 of an upgrade it copies bytes both ways until both ends, or the request's context, are done; any
// other answer is passed to the client as it came. The client's credentials, and who it says to be, are not passed on.
func Proxy(w http.ResponseWriter, r *http.Request, target *url.URL, cfg Config) {
	if !IsUpgrade(r) {
		relay(w, r, target, cfg)
		return
	}
	if err := proxy(w, r, target, cfg); err != nil {
		cfg.fail(w, r, err)
	}
}

// fail tells the client that its target was not reached.
func (c Config) fail(w http.ResponseWriter, r *http.Request, err error) {
	if c.Fail != nil {
		c.Fail(w, r, err)
		return
	}
	http.Error(w, err.Error(), http.StatusBadGateway)
}

// proxy returns an error only while the client can still be answered by HTTP.
func proxy(w http.ResponseWriter, r *http.Request, target *url.URL, cfg Config) error {
	b, err := open(r, outgoing(r, target, cfg), cfg)
	if err != nil {
		return err
	}
	defer b.end()
	if b.answer.StatusCode != http.StatusSwitchingProtocols {
		tell(w, r, b.answer, cfg)
		return nil
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("the connection cannot be upgraded: %w", err)
	}
	defer client.Close()
	closeClient := context.AfterFunc(r.Context(), func() { client.Close() })
	defer closeClient()
	if err := client.SetDeadline(time.Time{}); err != nil {
		return nil
	}
	if err := writeSwitch(client, b.answer); err != nil {
		return nil
	}
	join(stream{client, buffered.Reader}, b.stream)
	return nil
}

// tell passes an answer on that switches no protocols.
func tell(w http.ResponseWriter, r *http.Request, answer *http.Response, cfg Config) {
	var said refusal
	if errors.As(cfg.refusal(answer), &said) {
		cfg.Refused(w, r, said.code, said.text)
		return
	}
	pass(w, answer)
}

// outgoing is the client's request for an upgrade as the target gets it.
func outgoing(r *http.Request, target *url.URL, cfg Config) *http.Request {
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL = target
	out.Host = target.Host
	out.RequestURI = ""
	out.Proto, out.ProtoMajor, out.ProtoMinor = "HTTP/1.1", 1, 1
	out.Body, out.ContentLength, out.TransferEncoding = nil, 0, nil // what follows belongs to the protocol that is agreed on
	out.Header.Del("Content-Length")
	hand(out.Header, cfg.Header)
	return out
}

func pass(w http.ResponseWriter, answer *http.Response) {
	dropHopByHop(answer.Header)
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	out := Promptly(w)
	_, _ = io.Copy(out, answer.Body)
}

// Prompt sends each write at once: a followed log that waits for a full buffer is late.
type Prompt struct {
	w       io.Writer
	control *http.ResponseController
}

// Promptly writes an answer without a buffer.
func Promptly(w http.ResponseWriter) Prompt { return Prompt{w, http.NewResponseController(w)} }

// Write implements io.Writer.
func (p Prompt) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err == nil {
		p.Flush()
	}
	return n, err
}

// Flush sends what is there; at first, the headers.
func (p Prompt) Flush() { _ = p.control.Flush() } // what cannot flush has no buffer

// writeSwitch sends the 101 with the target's headers: sub-protocols are agreed in them.
func writeSwitch(w io.Writer, answer *http.Response) error {
	if _, err := fmt.Fprintf(w, "HTTP/1.1 %s\r\n", answer.Status); err != nil {
		return err
	}
	if err := answer.Header.Write(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\r\n")
	return err
}

// stream is a connection of which some bytes were read ahead.
type stream struct {
	net.Conn
	read io.Reader
}

// Join copies bytes both ways between two connections until both directions have ended; an end of one direction closes only its half.
func Join(a, b net.Conn) { join(stream{a, a}, stream{b, b}) }

func join(a, b stream) {
	var both sync.WaitGroup
	both.Go(func() { oneWay(a, b) })
	both.Go(func() { oneWay(b, a) })
	both.Wait()
}

func oneWay(to, from stream) {
	_, err := io.Copy(to.Conn, from.read)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		// One direction is broken, not ended: what the other still carries has no reader.
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	to.Close()
}
