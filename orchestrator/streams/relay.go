package streams

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// relay passes a plain request on, and its answer back as it comes: whoever follows the log of a quiet container learns at once that it is followed.
func relay(w http.ResponseWriter, r *http.Request, target *url.URL, cfg Config) {
	onward := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = target, target.Host
			hand(p.Out.Header, cfg.Header)
		},
		Transport: cfg.transport(), FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), // what fails is answered
		ModifyResponse: cfg.refusal,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var said refusal
			if errors.As(err, &said) {
				cfg.Refused(w, r, said.code, said.text)
				return
			}
			cfg.fail(w, r, err)
		},
	}
	onward.ServeHTTP(w, r)
}

// transport for plain requests: the caller's, or one of this request alone.
func (c Config) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	connect := c.Dial
	if connect == nil {
		connect = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &http.Transport{DialContext: connect, TLSClientConfig: c.TLS, DisableKeepAlives: true, DisableCompression: true}
}

// refusal is what a target said that is answered in its place.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return r.text }

func (c Config) refusal(answer *http.Response) error {
	if c.Refused == nil || answer.StatusCode >= http.StatusOK && answer.StatusCode <= http.StatusPartialContent {
		return nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what arrived of it is better than nothing
	return refusal{answer.StatusCode, string(text)}
}

// identity are headers by which a client says who it is, or a proxy whom it found it to be. They were believed or not where the request came in, and
// are nobody's business behind.
var identity = []string{"Authorization", "X-Remote-User", "X-Remote-Uid", "X-Remote-Group", "Impersonate-User", "Impersonate-Uid", "Impersonate-Group"}

// identityPrefixes of such headers whose names hold a key.
var identityPrefixes = []string{"X-Remote-Extra-", "Impersonate-Extra-"}

// hand makes a client's headers those that a target sees: the one place where identities are dropped.
func hand(header, more http.Header) {
	for _, name := range identity {
		header.Del(name)
	}
	for name := range header {
		for _, prefix := range identityPrefixes {
			if strings.HasPrefix(http.CanonicalHeaderKey(name), prefix) {
				delete(header, name)
			}
		}
	}
	for name, values := range more {
		header[name] = values
	}
}

// hopByHop headers are about one connection (RFC 9110, 7.6.1): an answer that is passed on over another must not bring them, HTTP/2 would take
// "Connection: close" for the end of what all requests of the client share.
var hopByHop = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func dropHopByHop(header http.Header) {
	for _, value := range header.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		header.Del(name)
	}
}
