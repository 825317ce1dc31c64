package streams

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Bodies were dropped on the way to pods and Services (found by NODE-009).
func TestProxyCarriesTheBody(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, r.Method+" "+string(body))
	}))
	defer target.Close()
	to, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Proxy(w, r, to, Config{}) }))
	defer front.Close()
	for name, body := range map[string]io.Reader{
		"none": nil, "of known length": strings.NewReader("hello"), "chunked": io.MultiReader(strings.NewReader("hel"), strings.NewReader("lo")),
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, front.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := front.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			want := "PUT "
			if body != nil {
				want += "hello"
			}
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != want {
				t.Fatalf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestProxyPassesAnAnswerGivenBeforeTheBodyWasRead(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusTeapot)
	}))
	defer target.Close()
	to, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, held := io.Pipe() // never ends
	defer held.Close()
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/", body)
	request.ContentLength = 10
	Proxy(answer, request, to, Config{})
	if answer.Code != http.StatusTeapot {
		t.Fatalf("got %d: %s", answer.Code, answer.Body)
	}
}
