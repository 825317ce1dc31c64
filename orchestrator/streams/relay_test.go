package streams

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// serve passes every request on to a target.
func serve(t *testing.T, target http.Handler, cfg Config) string {
	t.Helper()
	behind := httptest.NewServer(target)
	t.Cleanup(behind.Close)
	to, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Proxy(w, r, to, cfg) }))
	t.Cleanup(front.Close)
	return front.URL
}

// kubectl logs -f showed nothing of a quiet container: its few lines waited for a full buffer.
func TestWhatATargetSendsIsPassedOnWhileItGoesOn(t *testing.T) {
	more := make(chan struct{})
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "line\n")
		_ = http.NewResponseController(w).Flush()
		<-more
	}), Config{})
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	line := make([]byte, 5)
	if _, err := io.ReadFull(answer.Body, line); err != nil || string(line) != "line\n" {
		t.Errorf("%q, %v", line, err)
	}
	close(more)
}

// Following the log of a container that had said nothing yet hung until it spoke (found by NODE-010).
func TestHeadersDoNotWaitForTheFirstByte(t *testing.T) {
	more := make(chan struct{})
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
	}), Config{})
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Get(address)
	close(more)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
}

func TestARefusalIsAnsweredInItsPlace(t *testing.T) {
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such log", http.StatusBadRequest) }),
		Config{Refused: func(w http.ResponseWriter, _ *http.Request, code int, text string) {
			fmt.Fprintf(w, "%d: %s", code, text)
		}})
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); string(text) != "400: no such log\n" {
		t.Errorf("%q", text)
	}
}

// An answer's "Connection: close" told HTTP/2 clients to leave the connection that all their requests share; impersonation and what an untrusted
// proxy says of a user reached pods.
func TestHeadersOfOneHopEndThere(t *testing.T) {
	var seen http.Header
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("X-Kept", "2")
	}), Config{Header: http.Header{"X-Added": {"3"}}, Transport: &http.Transport{DisableCompression: true}})
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"Authorization", "X-Remote-User", "X-Remote-Group", "X-Remote-Uid", "X-Remote-Extra-Scopes", "Impersonate-User", "Impersonate-Group", "Impersonate-Uid",
		"Impersonate-Extra-A", "X-Plain",
	} {
		request.Header.Set(name, "v")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	for name := range seen {
		if name != "X-Plain" && name != "X-Added" && name != "User-Agent" && name != "Accept-Encoding" {
			t.Errorf("the target saw %s", name)
		}
	}
	if seen.Get("X-Plain") != "v" || seen.Get("X-Added") != "3" {
		t.Errorf("the target saw %v", seen)
	}
	if h := answer.Header; h.Get("X-Hop") != "" || h.Get("Keep-Alive") != "" || h.Get("Connection") != "" || h.Get("X-Kept") != "2" || answer.Close {
		t.Errorf("the client saw %v, close %v", h, answer.Close)
	}
}
