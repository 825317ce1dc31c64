package endpoint

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNegotiation(t *testing.T) {
	const table = "application/json;as=Table;v=v1;g=meta.k8s.io"
	for accept, want := range map[string]string{
		"":                                     "application/json",
		"*/*":                                  "application/json",
		"application/json, */*":                "application/json",
		"application/yaml":                     "application/yaml",
		"text/html":                            "406",
		"no media, application/yaml":           "application/yaml",
		mediaProtobuf + ",application/json":    mediaProtobuf,
		"application/yaml;q=0.1,*/*;q=0.5":     "application/json",
		table + ",application/json":            "application/json Table",
		"application/json;as=Bread," + table:   "application/json Table",
		mediaProtobuf + ";stream=watch":        mediaProtobuf + " stream",
		strings.Repeat(" ", maxHeader) + "*/*": "application/json",
	} {
		for range 2 { // read, and remembered
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept", accept)
			f, err := negotiate(r, true)
			got := f.media
			if f.as != "" {
				got += " " + f.as
			}
			if f.stream {
				got += " stream"
			}
			if err != nil {
				got = "406"
			}
			if got != want {
				t.Errorf("%q: %s, not %s", accept, got, want)
			}
		}
	}
}

func TestFewHeadersAreRemembered(t *testing.T) {
	h := newHeaders()
	for i := range 2 * maxHeaders {
		h.of(fmt.Sprint("application/json;x=", i))
	}
	h.of(strings.Repeat("x", maxHeader+1))
	if n := h.known.Len(); n > 2*maxHeaders {
		t.Errorf("%d", n)
	}
}
