package apiserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// recorder keeps what a watch sends until there are enough events, and then ends the watch.
type recorder struct {
	*httptest.ResponseRecorder
	left int
	end  context.CancelFunc
}

// Write gets one event.
func (r *recorder) Write(p []byte) (int, error) {
	if r.left--; r.left == 0 {
		r.end()
	}
	return r.ResponseRecorder.Write(p)
}

// events that a watch sends first.
func (w *world) events(url, accept string, n int) []byte {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	r.Header.Set("Accept", accept)
	answer := &recorder{httptest.NewRecorder(), n, cancel}
	w.handler.ServeHTTP(answer, r)
	return answer.Body.Bytes()
}

// seen is an event in short: its type, and the version, label and data of its object.
func seen(event string, c *corev1.ConfigMap) string {
	return fmt.Sprint(event, " ", c.ResourceVersion, " ", c.Labels["l"], " ", c.Data["k"])
}

func inJSON(t *testing.T, stream []byte) []string {
	t.Helper()
	var all []string
	for lines := json.NewDecoder(bytes.NewReader(stream)); lines.More(); {
		var e struct {
			Type   string
			Object corev1.ConfigMap
		}
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		if e.Object.Kind != "ConfigMap" || e.Object.APIVersion != "v1" {
			t.Errorf("%s of a %s %s", e.Type, e.Object.APIVersion, e.Object.Kind)
		}
		all = append(all, seen(e.Type, &e.Object))
	}
	return all
}

func inProtobuf(t *testing.T, stream []byte) []string {
	t.Helper()
	var all []string
	for len(stream) > 0 {
		n := binary.BigEndian.Uint32(stream)
		var e metav1.WatchEvent
		if err := e.Unmarshal(stream[4 : 4+n]); err != nil {
			t.Fatal(err)
		}
		c := &corev1.ConfigMap{}
		if _, gvk, err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Decode(e.Object.Raw, nil, c); err != nil || gvk.Kind != "ConfigMap" {
			t.Fatal(gvk, err)
		}
		all = append(all, seen(e.Type, c))
		stream = stream[4+n:]
	}
	return all
}

func TestWatchesTellWhatTheirSelectorSees(t *testing.T) {
	w := newWorld(t)
	versions := []string{w.shown("GET", configMaps, "", "").GetResourceVersion()}
	note := func(method, url, media, body string) {
		versions = append(versions, w.shown(method, url, media, body).GetResourceVersion())
	}
	note("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"1"}`))
	note("PATCH", configMaps+"/a", asMerge, `{"metadata":{"labels":{"l":"in"}},"data":{"k":"2"}}`)
	note("PATCH", configMaps+"/a", asMerge, `{"data":{"k":"3"}}`)
	note("PATCH", configMaps+"/a", asMerge, `{"metadata":{"labels":{"l":"out"}},"data":{"k":"4"}}`)
	note("POST", configMaps, asJSON, configMap("other", ``))
	w.shown("DELETE", configMaps+"/a", "", "")
	gone := w.shown("GET", configMaps, "", "").GetResourceVersion()
	v := func(i int) string { return versions[i] + " " }
	for _, row := range []struct {
		selector string
		want     []string
	}{
		{"labelSelector=l%3Din", []string{"ADDED " + v(2) + "in 2", "MODIFIED " + v(3) + "in 3", "DELETED " + v(4) + "in 3"}},
		{"labelSelector=l%3Dout", []string{"ADDED " + v(4) + "out 4", "DELETED " + gone + " out 4"}},
		{"fieldSelector=metadata.name%3Da", []string{
			"ADDED " + v(1) + " 1", "MODIFIED " + v(2) + "in 2", "MODIFIED " + v(3) + "in 3", "MODIFIED " + v(4) + "out 4", "DELETED " + gone + " out 4"}},
		{"fieldSelector=metadata.name%3Dother", []string{"ADDED " + v(5) + " "}},
	} {
		url := configMaps + "?watch=1&resourceVersion=" + versions[0] + "&" + row.selector
		for range 2 { // encoded, and as it was encoded for another watch
			if got := inJSON(t, w.events(url, asJSON, len(row.want))); !slices.Equal(got, row.want) {
				t.Errorf("%s: %q, not %q", row.selector, got, row.want)
			}
			if got := inProtobuf(t, w.events(url, protobufType, len(row.want))); !slices.Equal(got, row.want) {
				t.Errorf("%s in protobuf: %q, not %q", row.selector, got, row.want)
			}
		}
	}
}
