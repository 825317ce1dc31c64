package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// TestAListIsSentAsItIsEncoded: a list that is put together while it is sent is the encoding of the list.
func TestAListIsSentAsItIsEncoded(t *testing.T) {
	c := &call{kind: &kind.Kind{}, version: &kind.Version{Name: "v1", NewList: func() runtime.Object { return &corev1.ConfigMapList{} }}}
	for _, n := range []int{0, 1, 3, 200} {
		for _, continues := range []string{"", "more"} {
			list := &corev1.ConfigMapList{ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: continues}, Items: []corev1.ConfigMap{}}
			var rawJSON, rawProtobuf [][]byte
			for i := range n {
				item := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i)}, Data: map[string]string{"a": strings.Repeat("x", i*10)}}
				list.Items = append(list.Items, item)
				for media, raw := range map[string]*[][]byte{mediaJSON: &rawJSON, mediaProtobuf: &rawProtobuf} {
					one, err := fragment(&item, media)
					if err != nil {
						t.Fatal(err)
					}
					*raw = append(*raw, one)
				}
			}
			p := &page{metadata: list.ListMeta}
			got, err := c.protobufBody(p, rawProtobuf)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := list.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			want, err := typed(raw, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMapList"}, mediaProtobuf)
			if err != nil {
				t.Fatal(err)
			}
			sent(t, got, want)
			if got, err = c.jsonBody(p, rawJSON); err != nil {
				t.Fatal(err)
			}
			if raw, err = json.Marshal(list); err != nil {
				t.Fatal(err)
			}
			sent(t, got, append([]byte(`{"kind":"ConfigMapList","apiVersion":"v1",`), raw[1:]...))
		}
	}
}

func sent(t *testing.T, list *listBody, want []byte) {
	t.Helper()
	var got bytes.Buffer
	list.writeTo(&got)
	if !bytes.Equal(got.Bytes(), want) || list.size() != len(want) {
		t.Errorf("%d bytes of %d are sent: %q\nnot %q", got.Len(), list.size(), got.Bytes(), want)
	}
}
