package apiserver

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

const notAllowed = `"message":"the server does not allow this method on the requested resource","reason":"MethodNotAllowed","details":{},"code":405`

// What stock v1.37.2 answers to requests that are wrong before any object is looked at, word for word.
func TestRefusedRequests(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"v"}`))
	for _, row := range []struct {
		name, method, url, media, body string
		code                           int
		says                           string
	}{
		{"HEAD", "HEAD", configMaps, "", "", 405, notAllowed},
		{"OPTIONS", "OPTIONS", configMaps, "", "", 405, notAllowed},
		{"OPTIONS of discovery", "OPTIONS", "/api", "", "", 405, notAllowed},
		{"POST of the version", "POST", "/version", "", "", 405, notAllowed},
		{"PUT of a collection", "PUT", configMaps, asJSON, "{}", 405, notAllowed},
		{"POST of one", "POST", configMaps + "/a", asJSON, "{}", 405, notAllowed},
		{"timeout", "GET", configMaps + "?timeout=abc", "", "", 400, `invalid timeout specified in the request URL - time: invalid duration \"abc\"`},
		{"no time", "GET", configMaps + "?timeout=1ns", "", "", 504, `Timeout: request did not complete within the allotted timeout`},
		{"options of create", "POST", configMaps + "?dryRun=no&fieldValidation=bad&fieldManager=%01", asJSON, configMap("c", ""), 422,
			`CreateOptions.meta.k8s.io \"\" is invalid: [fieldManager: Invalid value: \"\\x01\": invalid character U+0001 (at position 0), dryRun: Unsupported value: [\"no\"]: supported values: \"All\", fieldValidation: Unsupported value: \"bad\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"]`},
		{"force of a merge", "PATCH", configMaps + "/a?force=true", asMerge, "{}", 422, `PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch`},
		{"media of a patch", "PATCH", configMaps + "/a", "application/nope", "{}", 415, `"message":"415: Unsupported Media Type","reason":"UnsupportedMediaType","details":{},"code":415`},
		{"no JSON", "PATCH", configMaps + "/a", asMerge, `{"data":`, 400, `"message":"invalid JSON patch"`},
		{"wrong type", "PATCH", configMaps + "/a", asMerge, `{"data":{"k":1}}`, 422, `\" is invalid: patch: Invalid value: \"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":{\\\"k\\\":1}`},
		{"renamed", "PATCH", configMaps + "/a", asMerge, `{"metadata":{"name":"b"}}`, 400, `the name of the object (b) does not match the name on the URL (a)`},
		{"failed test", "PATCH", configMaps + "/a", asJSONPatch, `[{"op":"test","path":"/data/k","value":"1"}]`, 422, `"message":"the server rejected our request due to an error in our request","reason":"Invalid","details":{},"code":422`},
		{"strategic directive", "PATCH", configMaps + "/a", asStrategic, `{"metadata":{"$patch":"bad"}}`, 500, `"message":"unknown patch type: bad in map: map[$patch:bad]","code":500`},
		{"repeated field", "PATCH", configMaps + "/a?fieldValidation=Strict", asMerge, `{"data":{"k":"p","k":"q"},"foo":1}`, 422, `strict decoding error: duplicate field \"data.k\", unknown field \"foo\"`},
		{"delete options of a group", "DELETE", configMaps + "/n", asJSON, `{"kind":"DeleteOptions","apiVersion":"apps/v1"}`, 404, `configmaps \"n\" not found`},
		{"delete options of nobody", "DELETE", configMaps + "/n", asJSON, `{"kind":"DeleteOptions","apiVersion":"nope/v1"}`, 404, `configmaps \"n\" not found`},
		{"unknown delete option", "DELETE", configMaps + "/n?fieldValidation=Strict", asJSON, `{"foo":"v1"}`, 404, `configmaps \"n\" not found`},
		{"no delete options", "DELETE", configMaps + "/n", asJSON, `{"kind":"Pod","apiVersion":"v1"}`, 400, `no kind \"Pod\" is registered for version \"v1\" in scheme`},
		{"propagation", "DELETE", configMaps + "/n", asJSON, `{"propagationPolicy":"v1"}`, 422, `DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"v1\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.send(row.method, row.url, row.media, row.body)
			if got.Code != row.code || !strings.Contains(string(got.Body), row.says) {
				t.Errorf("got %d %s\nwant %d %s", got.Code, got.Body, row.code, row.says)
			}
		})
	}
}

func TestTimeoutsBeyondTheServersOwnAreItsOwn(t *testing.T) {
	w := newWorld(t)
	for _, timeout := range []string{"0s", "-1s", "90h", "10s"} {
		if got := w.send("GET", configMaps+"?timeout="+timeout, "", ""); got.Code != http.StatusOK {
			t.Errorf("%s: %d %s", timeout, got.Code, got.Body)
		}
	}
}

func TestLargeListsAreCompressedForThoseWhoTakeIt(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"`+strings.Repeat("v", compressible)+`"}`))
	got := w.send("GET", configMaps, "", "", "Accept-Encoding", "deflate, gzip")
	if got.Header.Get("Content-Encoding") != "gzip" || len(got.Body) >= compressible {
		t.Fatalf("%d bytes, %v", len(got.Body), got.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(string(got.Body)))
	if err != nil {
		t.Fatal(err)
	}
	list := metav1.PartialObjectMetadataList{}
	if err := json.NewDecoder(z).Decode(&list); err != nil || len(list.Items) != 1 {
		t.Errorf("%v, %d items", err, len(list.Items))
	}
	for _, accept := range []string{"", "gzip;q=0", "br"} {
		if got := w.send("GET", configMaps, "", "", "Accept-Encoding", accept); got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%q: %v", accept, got.Header)
		}
	}
}

// compressible is a size from which answers are compressed.
const compressible = 200 << 10

func TestAListGoesOnWhenItsRevisionIsGone(t *testing.T) {
	s := memory.New()
	for i := range 3 {
		if _, err := s.Create(t.Context(), store.Put{Key: fmt.Sprint("/elsewhere/", i), Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	revision, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, s)
	for i := range 3 {
		w.shown("POST", configMaps, asJSON, configMap(fmt.Sprint("m", i), ""))
	}
	old := base64.RawURLEncoding.EncodeToString([]byte(`{"v":"meta.k8s.io/v1","rv":1,"start":"/registry/configmaps/default/m0"}`))
	got := w.send("GET", configMaps+"?limit=5&continue="+old, "", "")
	status := metav1.Status{}
	if err := json.Unmarshal(got.Body, &status); err != nil || status.Code != http.StatusGone || status.Continue == "" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	rest := w.shown("GET", configMaps+"?limit=5&continue="+status.Continue, "", "")
	if items := rest.Object["items"].([]any); len(items) != 2 {
		t.Errorf("%d items are left: %v", len(items), items)
	}
}
