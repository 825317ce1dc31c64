package subresource

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// behind is an apiserver's proxy to a server of the test, which only a dialer that allows loopback reaches.
func behind(t *testing.T, page string) *httptest.Server {
	t.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/moved" {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
			return
		}
		fmt.Fprintf(w, page, r.URL.Path, r.URL.RawQuery)
	}))
	t.Cleanup(target.Close)
	h := &handlers{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, tail, _ := strings.Cut(r.URL.Path, "/proxy")
		info := &request.Info{Tail: strings.Trim(tail, "/")}
		h.forward(w, r.WithContext(request.With(r.Context(), info, &request.User{})), "http", strings.TrimPrefix(target.URL, "http://"), &http.Transport{})
	}))
	t.Cleanup(front.Close)
	return front
}

const ofPod = "/api/v1/namespaces/d/pods/p/proxy"

// The specs "Proxy version v1" met a page whose links led out of the proxy.
func TestLinksOfAPageLeadBackThroughTheProxy(t *testing.T) {
	front := behind(t, `<a href="/rewriteme">path %s query %s</a>`)
	for path, want := range map[string]string{
		ofPod + "/":       `<a href="` + ofPod + `/rewriteme">path / query </a>`,
		ofPod + "/a/b?x=": `<a href="` + ofPod + `/rewriteme">path /a/b query x=</a>`,
		ofPod + "/a/":     `<a href="` + ofPod + `/rewriteme">path /a/ query </a>`,
	} {
		answer, err := http.Get(front.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		_ = answer.Write(&body)
		answer.Body.Close()
		if !strings.Contains(body.String(), want) {
			t.Errorf("%s\n got %s\nwant %s", path, body.String(), want)
		}
	}
}

func TestThePathWithoutASlashIsRedirected(t *testing.T) {
	front := behind(t, "%s%s")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, row := range []struct {
		method, path string
		code         int
		location     string
	}{
		{http.MethodGet, ofPod, http.StatusMovedPermanently, ofPod + "/"},
		{http.MethodHead, ofPod + "?method=HEAD", http.StatusMovedPermanently, ofPod + "/?method=HEAD"},
		{http.MethodPut, ofPod, http.StatusOK, ""},
		{http.MethodGet, ofPod + "/moved", http.StatusFound, ofPod + "/elsewhere"},
	} {
		r, err := http.NewRequest(row.method, front.URL+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Location"); answer.StatusCode != row.code || got != row.location {
			t.Errorf("%s %s: %d to %q", row.method, row.path, answer.StatusCode, got)
		}
	}
}

func TestDialable(t *testing.T) {
	for address, want := range map[string]bool{
		"10.0.0.1": true, "192.0.2.1": true, "2001:db8::1": true, "fd00::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "169.254.169.254": false, "fe80::1": false, "224.0.0.1": false, "ff02::1": false,
		"0.0.0.0": false, "::": false, "::ffff:127.0.0.1": false, "255.255.255.255": false,
	} {
		if got := dialable(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// A name may resolve to anything, so the dialer looks at what is dialled.
func TestADialerLooksAtTheAddressBehindAName(t *testing.T) {
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		conn, err := dial(t.Context(), "tcp", host+":"+target.URL[strings.LastIndex(target.URL, ":")+1:])
		if !errors.Is(err, errNotAllowed) {
			t.Errorf("%s: %v", host, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
}
