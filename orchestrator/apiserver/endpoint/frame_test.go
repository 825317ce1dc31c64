package endpoint

import (
	"bytes"
	"encoding/binary"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// TestFramesAreTheEncodingsOfEvents of all sizes at which a length takes another byte.
func TestFramesAreTheEncodingsOfEvents(t *testing.T) {
	for _, media := range []string{mediaJSON, mediaProtobuf} {
		for size := 1; size < 3*maxFrame; size = size*5/4 + 1 {
			w := httptest.NewRecorder()
			c := &call{w: w, kind: &kind.Kind{Names: kind.Names{Kind: "ConfigMap"}}, version: &kind.Version{Name: "v1"}}
			s := &stream{call: c, form: form{media: media}}
			s.head = s.beginning()
			raw, err := fragment(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Data: map[string]string{"a": strings.Repeat("x", size)}}, media)
			if err != nil {
				t.Fatal(err)
			}
			object, err := typed(raw, c.gvk(), media)
			if err != nil {
				t.Fatal(err)
			}
			want := []byte(`{"type":"MODIFIED","object":` + string(object) + "}\n")
			if media == mediaProtobuf {
				message, err := (&metav1.WatchEvent{Type: "MODIFIED", Object: runtime.RawExtension{Raw: object}}).Marshal()
				if err != nil {
					t.Fatal(err)
				}
				want = append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
			}
			if err := s.frame(watch.Modified, object); err != nil {
				t.Fatal(err)
			}
			if err := s.sendFragment(watch.Modified, raw); err != nil {
				t.Fatal(err)
			}
			if got := w.Body.Bytes(); !bytes.Equal(got, append(want, want...)) {
				t.Fatalf("%s of %d bytes: %q", media, size, got)
			}
		}
	}
}

// TestAnEnvelopeIsAnUnknown: it is what apimachinery encodes.
func TestAnEnvelopeIsAnUnknown(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 20000} {
		raw := bytes.Repeat([]byte{7}, size)
		want, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, Raw: raw}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if got := envelope("apps/v1", "Deployment", raw); !bytes.Equal(got, append([]byte(magic), want...)) {
			t.Errorf("%d bytes: %q", size, got)
		}
	}
}
