package apiserver

import (
	"net/http"
	"strings"
	"testing"
)

// What stock v1.37.2 answers about fields that are unknown, repeated or of another type, word for word.
func TestFieldsAreValidated(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"}}`)
	for _, row := range []struct {
		name, method, url, media, body string
		code                           int
		says                           string
	}{
		{"creation", "POST", configMaps, asJSON, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","bad":1},"foo":1}`, 400,
			`ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"metadata.bad\", unknown field \"foo\"`},
		{"broken JSON", "POST", configMaps, asJSON, `{`, 400,
			`the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)`},
		{"merge patch", "PATCH", configMaps + "/m", asMerge, `{"foo":1,"data":{"k":"v","k":"w"}}`, 422, `strict decoding error: duplicate field \"data.k\", unknown field \"foo\"`},
		{"strategic patch", "PATCH", configMaps + "/m", asStrategic, `{"foo":1,"data":{"k":"v","k":"w"}}`, 422,
			`patch: Invalid value: \"map[data:map[k:w] foo:1]\": strict decoding error: duplicate field \"data.k\", unknown field \"foo\"`},
		{"type in a strategic patch", "PATCH", configMaps + "/m", asStrategic, `{"immutable":"x"}`, 422, `patch: Invalid value: \"map[immutable:x]\": `},
		{"JSON patch", "PATCH", configMaps + "/m", asJSONPatch, `[{"op":"add","path":"/foo","value":1,"value":2}]`, 422,
			`strict decoding error: json patch duplicate field \"[0].value\", unknown field \"foo\"`},
		{"broken JSON patch", "PATCH", configMaps + "/m", asJSONPatch, `{`, 400, `"message":"invalid JSON patch"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.send(row.method, row.url+"?fieldValidation=Strict", row.media, row.body)
			if got.Code != row.code || !strings.Contains(string(got.Body), row.says) {
				t.Errorf("got %d %s\nwant %d %s", got.Code, got.Body, row.code, row.says)
			}
		})
	}
}

func TestRepeatedFieldsOfYAMLAreWarnedOfLineByLine(t *testing.T) {
	w := newWorld(t)
	got := w.send("POST", configMaps, "application/yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: repeats}\ndata: {k: v}\ndata: {k: w}\n")
	if warning := got.Header.Get("Warning"); got.Code != http.StatusCreated || warning != `299 - "line 5: key \"data\" already set in map"` {
		t.Errorf("got %d, warned %s", got.Code, warning)
	}
}

func TestDeletionsAnswerWithWhatIsGone(t *testing.T) {
	w := newWorld(t)
	for _, row := range []struct{ name, url, body, kind string }{
		{"account", "/api/v1/namespaces/default/serviceaccounts", `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"s"}}`, "ServiceAccount"},
		{"class", "/apis/storage.k8s.io/v1/storageclasses", `{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"s"},"provisioner":"p"}`, "StorageClass"},
		{"map", configMaps, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"s"}}`, "Status"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.shown("POST", row.url, asJSON, row.body)
			if gone := w.shown("DELETE", row.url+"/s", "", ""); gone.GetKind() != row.kind {
				t.Errorf("answered with %s, want %s", gone.GetKind(), row.kind)
			}
		})
	}
}
