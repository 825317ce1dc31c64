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
