package openapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	openapiv3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

func handler() *Handler {
	all := api.All()
	var kinds []*kind.Kind
	for i := range all {
		kinds = append(kinds, &all[i])
	}
	return New(kinds)
}

// part is what is compared of a document.
type part struct {
	Paths       map[string]any `json:"paths"`
	Definitions map[string]any `json:"definitions"`
}

// TestDocumentsAreStocks compares paths and definitions of every sort with what a stock v1.37.2 apiserver answered.
func TestDocumentsAreStocks(t *testing.T) {
	for version, place := range map[string]string{"v2": "/openapi/v2", "v3": "/openapi/v3/"} {
		var golden map[string]part
		read(t, "testdata/"+version+".json", &golden)
		h := handler()
		for name, want := range golden {
			got := served(t, h, place+name)
			compare(t, name, got.Paths, want.Paths)
			compare(t, name, got.Definitions, want.Definitions)
		}
	}
}

// served is a document, wherever its version keeps the definitions.
func served(t *testing.T, h http.Handler, path string) part {
	t.Helper()
	answer := ask(h, path, nil)
	var document struct {
		part
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		t.Fatalf("%s: %d %v", path, answer.StatusCode, err)
	}
	if document.Definitions == nil {
		document.Definitions = document.Components.Schemas
	}
	return document.part
}

func compare(t *testing.T, document string, got, want map[string]any) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: the sample holds nothing", document)
	}
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			a, _ := json.Marshal(got[name])
			b, _ := json.Marshal(want[name])
			t.Errorf("%s: %s is\n%s\nwant\n%s", document, name, a, b)
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func ask(h http.Handler, path string, header map[string]string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestIndexLeadsToDocumentsThatMayBeKept(t *testing.T) {
	h := handler()
	var index struct {
		Paths map[string]struct {
			URL string `json:"serverRelativeURL"`
		} `json:"paths"`
	}
	if err := json.NewDecoder(ask(h, "/openapi/v3", nil).Body).Decode(&index); err != nil {
		t.Fatal(err)
	}
	url := index.Paths["apis/policy/v1"].URL
	if !strings.HasPrefix(url, "/openapi/v3/apis/policy/v1?hash=") {
		t.Fatalf("index of apis/policy/v1 is %q", url)
	}
	kept := ask(h, url, nil)
	if kept.StatusCode != http.StatusOK || kept.Header.Get("Cache-Control") != "public, immutable" || kept.Header.Get("Expires") == "" {
		t.Errorf("%s: %d %v", url, kept.StatusCode, kept.Header)
	}
	stale := ask(h, "/openapi/v3/apis/policy/v1?hash=OLD", nil)
	if stale.StatusCode != http.StatusMovedPermanently || stale.Header.Get("Location") != url {
		t.Errorf("an old hash: %d %v", stale.StatusCode, stale.Header)
	}
	same := ask(h, "/openapi/v3/apis/policy/v1", map[string]string{"If-None-Match": kept.Header.Get("Etag")})
	if same.StatusCode != http.StatusNotModified {
		t.Errorf("a client that has it: %d", same.StatusCode)
	}
}

func TestMediaTypes(t *testing.T) {
	h := handler()
	for _, row := range []struct{ name, path, accept, want string }{
		{"json", "/openapi/v3/version", "application/json", "application/json"},
		{"anything", "/openapi/v3/version", "", "application/json"},
		{"protobuf of v3", "/openapi/v3/version", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"},
		{"protobuf of v2 as kubectl asks", "/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"},
		{"what nobody has", "/openapi/v3/version", "text/html", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := ask(h, row.path, map[string]string{"Accept": row.accept})
			if got := answer.Header.Get("Content-Type"); got != row.want {
				t.Fatalf("answered %d %q, want %q", answer.StatusCode, got, row.want)
			}
			if row.want == "" && answer.StatusCode != http.StatusNotAcceptable {
				t.Errorf("answered %d", answer.StatusCode)
			}
			body, _ := io.ReadAll(answer.Body)
			checkProtobuf(t, row.want, body)
		})
	}
}

func checkProtobuf(t *testing.T, media string, body []byte) {
	t.Helper()
	var into proto.Message
	switch {
	case strings.Contains(media, "spec.v2"):
		into = &openapiv2.Document{}
	case strings.Contains(media, "spec.v3"):
		into = &openapiv3.Document{}
	default:
		return
	}
	if err := proto.Unmarshal(body, into); err != nil {
		t.Error(err)
	}
}

func TestBodiesTravelCompressed(t *testing.T) {
	h := handler()
	packed := ask(h, "/openapi/v3/version", map[string]string{"Accept-Encoding": "gzip"})
	body, _ := io.ReadAll(packed.Body)
	if packed.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("answered %v", packed.Header)
	}
	plain, err := unpack(body)
	if err != nil || !json.Valid(plain) {
		t.Errorf("not a document: %v", err)
	}
}

func TestNothingIsBuiltBeforeItIsAskedFor(t *testing.T) {
	h := handler()
	ask(h, "/openapi/v3/apis/policy/v1", nil)
	for name, d := range h.v3 {
		if built := d.hash != ""; built != (name == "apis/policy/v1") {
			t.Errorf("%s: built is %v", name, built)
		}
	}
	if h.v2.hash != "" {
		t.Error("v2 is built")
	}
}
