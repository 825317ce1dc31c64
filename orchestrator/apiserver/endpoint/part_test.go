package endpoint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// shown is a part as text; everything is *.
func (p part) shown() string {
	if p == nil {
		return "*"
	}
	var names []string
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestPartOfAMerge(t *testing.T) {
	for patch, want := range map[string]string{
		`{}`:                                        "",
		`{"status":{"phase":"x"}}`:                  "status",
		`{"spec":null,"unknown":1,"kind":"x"}`:      "kind spec unknown",
		`{"metadata":{"labels":{"a":"b"}}}`:         "metadata",
		`{"metadata":null}`:                         "*",
		`{"metadata":{"managedFields":[]}}`:         "*",
		`{"metadata":{"$patch":"replace"}}`:         "*",
		`{"$patch":"replace","spec":{}}`:            "*",
		`{"$retainKeys":["spec"],"spec":{"a":"b"}}`: "*",
	} {
		content := map[string]any{}
		if err := json.Unmarshal([]byte(patch), &content); err != nil {
			t.Fatal(err)
		}
		if got := partOfMerge(content).shown(); got != want {
			t.Errorf("%s: %q, not %q", patch, got, want)
		}
	}
}

func TestPartOfOperations(t *testing.T) {
	for patch, want := range map[string]string{
		`{"op":"add","path":"/spec/a","value":1}`:                      "spec",
		`{"op":"replace","path":"/spec","value":1}`:                    "spec",
		`{"op":"move","path":"/spec/a","from":"/status/b"}`:            "spec status",
		`{"op":"copy","path":"/spec/a","from":""}`:                     "*",
		`{"op":"replace","path":"","value":{}}`:                        "*",
		`{"op":"replace","path":"/","value":{}}`:                       "*",
		`{"op":"add","path":"spec/a","value":1}`:                       "*",
		`{"op":"add","path":"/metadata/labels/a","value":1}`:           "metadata",
		`{"op":"remove","path":"/metadata"}`:                           "*",
		`{"op":"remove","path":"/metadata/managedFields/0"}`:           "*",
		`{"op":"remove","path":"/metadata/managed~0Fields"}`:           "*",
		`{"op":"add","path":"/metadata~1x","value":1}`:                 "*",
		`{"op":"test","path":"/data/a","value":"b"}`:                   "data",
		`{"op":"test","path":"/metadata/resourceVersion","value":"1"}`: "metadata",
	} {
		operations, err := jsonpatch.DecodePatch([]byte("[" + patch + "]"))
		if err != nil {
			t.Fatal(err)
		}
		if got := partOfOperations(operations).shown(); got != want {
			t.Errorf("%s: %q, not %q", patch, got, want)
		}
	}
}

// TestAllFieldsOfObjectsHaveNames: a part and what completes it are the whole object.
func TestAllFieldsOfObjectsHaveNames(t *testing.T) {
	for _, k := range api.All() {
		for i := range k.Versions {
			of := reflect.TypeOf(k.Versions[i].New()).Elem()
			names := namesOf(of)
			if f, ok := names[metadataField]; len(names)+1 != of.NumField() || !ok || of.Field(f).Type != reflect.TypeFor[metav1.ObjectMeta]() {
				t.Error(fmt.Sprint(of), names)
			}
		}
	}
}

// TestAPatchOfAPartIsThatOfTheWhole applies patches both ways.
func TestAPatchOfAPartIsThatOfTheWhole(t *testing.T) {
	all := api.All()
	pods := slices.IndexFunc(all, func(k kind.Kind) bool { return k.Resource == "pods" })
	c := &call{
		kind: &all[pods], version: &all[pods].Versions[0], info: &request.Info{Namespace: "d", Name: "p"},
		w: httptest.NewRecorder(), r: httptest.NewRequest(http.MethodPatch, "/?fieldValidation=Strict", nil),
	}
	present := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "p", Namespace: "d", UID: "1", Labels: map[string]string{"a": "b"}, CreationTimestamp: metav1.Unix(1, 0),
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{}}`)}},
		},
		Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "c", Image: "i"}}}, Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, row := range []struct {
		format types.PatchType
		patch  string
	}{
		{types.StrategicMergePatchType, `{"status":{"phase":"Failed","conditions":[{"type":"Ready","status":"True"}]}}`},
		{types.StrategicMergePatchType, `{"metadata":{"labels":{"a":null,"c":"d"},"finalizers":["x/y"]},"spec":{"containers":[{"name":"c","image":"j"}]}}`},
		{types.StrategicMergePatchType, `{"metadata":{"managedFields":[]}}`},
		{types.StrategicMergePatchType, `{"spec":{"$patch":"delete"}}`},
		{types.StrategicMergePatchType, `{"spec":{"unknown":1}}`},
		{types.StrategicMergePatchType, `{"spec":{"containers":1}}`},
		{types.StrategicMergePatchType, `{"kind":"Node","status":{}}`},
		{types.StrategicMergePatchType, `{}`},
		{types.MergePatchType, `{"status":null}`},
		{types.MergePatchType, `{"metadata":{"name":"q"}}`},
		{types.MergePatchType, `{"metadata":null}`},
		{types.MergePatchType, `{"unknown":1}`},
		{types.MergePatchType, `{"spec":{"containers":[{"name":1}]}}`},
		{types.JSONPatchType, `[{"op":"add","path":"/metadata/labels/x","value":"y"},{"op":"remove","path":"/spec/nodeName"}]`},
		{types.JSONPatchType, `[{"op":"remove","path":"/metadata/managedFields/0"}]`},
		{types.JSONPatchType, `[{"op":"test","path":"/status/phase","value":"Failed"}]`},
		{types.JSONPatchType, `[{"op":"remove","path":"/unknown"}]`},
		{types.JSONPatchType, `[{"op":"copy","from":"/metadata/name","path":"/spec/nodeName"}]`},
	} {
		p, err := c.patcher(row.format, []byte(row.patch))
		if err != nil {
			t.Fatal(err)
		}
		got, gotErr := c.applyPatch(present.DeepCopy(), p)
		p.about = nil
		want, wantErr := c.applyPatch(present.DeepCopy(), p)
		if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Errorf("%s: %v %v\nnot %v %v", row.patch, got, gotErr, want, wantErr)
		}
	}
}
