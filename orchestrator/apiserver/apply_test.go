package apiserver

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	configMaps = "/api/v1/namespaces/default/configmaps"
	deploys    = "/apis/apps/v1/namespaces/default/deployments"
	deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},
"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`
)

func configMap(name, more string) string {
	return `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"` + name + `"}` + more + `}`
}

// What stock v1.37.2 answers to applies that it refuses, word for word.
func TestRefusedApplies(t *testing.T) {
	w := newWorld(t)
	w.shown("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", `,"data":{"k":"v"}`))
	for _, row := range []struct {
		name, url, body string
		code            int
		says            string
	}{
		{"no manager", "/a", configMap("a", ""), 422, `PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch`},
		{"another name", "/a?fieldManager=x", configMap("b", ""), 400, `the name of the object (b) does not match the name on the URL (a)`},
		{"no name", "/n?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap"}`, 400, `the name of the object (n based on URL) was undeterminable: name must be provided`},
		{"another namespace", "/a?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"o"}}`, 400, `the namespace of the provided object does not match the namespace sent on the request`},
		{"another kind", "/a?fieldManager=x", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`, 400, `invalid object type: /v1, Kind=Secret`},
		{"no kind", "/a?fieldManager=x", `{"metadata":{"name":"a"}}`, 400, `invalid object type: /, Kind=`},
		{"unknown field", "/n?fieldManager=x", configMap("n", `,"dota":{}`), 500, `"message":"failed to create typed patch object (/n; /v1, Kind=ConfigMap): .dota: field not declared in schema","code":500`},
		{"no YAML", "/n?fieldManager=x", `apiVersion: [`, 400, `error encoding patch: yaml: line 1: did not find expected node content`},
		{"repeated field", "/n?fieldManager=x&fieldValidation=Strict", configMap("n", `,"data":{"k":"v","k":"w"}`), 400, `error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 1: key \"k\" already set in map`},
		{"uid of nothing", "/n?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","uid":"12"}}`, 409, `Operation cannot be fulfilled on configmaps \"n\": uid mismatch: the provided object specified uid 12, and no existing object was found`},
		{"uid of another", "/a?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","uid":"12"}}`, 422, `metadata.uid: Invalid value: \"12\": field is immutable`},
		{"managedFields", "/a?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","managedFields":[]}}`, 400, `metadata.managedFields must be nil`},
		{"old version", "/a?fieldManager=x", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","resourceVersion":"1"}}`, 409, `the object has been modified`},
		{"conflict", "/a?fieldManager=y", configMap("a", `,"data":{"k":"w"}`), 409, `"message":"Apply failed with 1 conflict: conflict with \"x\": .data.k","reason":"Conflict","details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"x\"","field":".data.k"}]},"code":409`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.send("PATCH", configMaps+row.url, asApply, row.body)
			if got.Code != row.code || !strings.Contains(string(got.Body), row.says) {
				t.Errorf("got %d %s\nwant %d %s", got.Code, got.Body, row.code, row.says)
			}
		})
	}
}

func TestApplyCreatesMergesAndTakesAway(t *testing.T) {
	w := newWorld(t)
	got := w.send("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", `,"data":{"k":"v","z":"y"}`))
	if got.Code != http.StatusCreated {
		t.Fatalf("an apply to nothing: %d %s", got.Code, got.Body)
	}
	if have := owners(t, got.object(t)); have != `x Apply {"f:data":{"f:k":{},"f:z":{}}}` {
		t.Errorf("owners after creation: %s", have)
	}
	obj := w.shown("PATCH", configMaps+"/a?fieldManager=y&force=true", asApply, configMap("a", `,"data":{"k":"w"}`))
	if have := owners(t, obj); have != "x Apply {\"f:data\":{\"f:z\":{}}}\ny Apply {\"f:data\":{\"f:k\":{}}}" {
		t.Errorf("owners after force: %s", have)
	}
	obj = w.shown("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", ""))
	if data := obj.Object["data"].(map[string]any); len(data) != 1 || data["k"] != "w" {
		t.Errorf("what x no longer applies is still there: %v", data)
	}
}

func TestApplyOfTheSameIsNoWrite(t *testing.T) {
	w := newWorld(t)
	first := w.shown("PATCH", deploys+"/web?fieldManager=x", asApply, deployment)
	again := w.shown("PATCH", deploys+"/web?fieldManager=x", asApply, deployment)
	if first.GetResourceVersion() != again.GetResourceVersion() || first.GetGeneration() != again.GetGeneration() {
		t.Errorf("versions %s and %s, generations %d and %d", first.GetResourceVersion(), again.GetResourceVersion(), first.GetGeneration(), again.GetGeneration())
	}
}

func TestApplyToNothingNeedsTheRightToCreate(t *testing.T) {
	w := newWorld(t)
	w.grant("bob", "{apiGroups: ['', coordination.k8s.io], resources: [configmaps, leases], verbs: [get, patch, update]}")
	got := w.send("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", ""), asUser, "bob")
	w.refused(got, http.StatusForbidden, `configmaps "a" is forbidden: User "bob" cannot create resource ...`)
	lease := `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{}}`
	got = w.send("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", asJSON, lease, asUser, "bob")
	w.refused(got, http.StatusForbidden, `leases.coordination.k8s.io "l" is forbidden: User "bob" cannot create resource ...`)
}

func TestApplyWarnsOfRepeatedFields(t *testing.T) {
	w := newWorld(t)
	got := w.send("PATCH", configMaps+"/a?fieldManager=x", asApply, configMap("a", `,"data":{"k":"v","k":"w"}`))
	if warning := got.Header.Get("Warning"); got.Code != 201 || warning != `299 - "line 1: key \"k\" already set in map"` {
		t.Errorf("%d, warning %s, %s", got.Code, warning, got.Body)
	}
	got = w.send("PATCH", configMaps+"/b?fieldManager=x&fieldValidation=Ignore", asApply, configMap("b", `,"data":{"k":"v","k":"w"}`))
	if warning := got.Header.Get("Warning"); got.Code != 201 || warning != "" {
		t.Errorf("%d, warning %s, %s", got.Code, warning, got.Body)
	}
}

func TestWritesAreTracked(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", deploys, asJSON, deployment)
	w.shown("PATCH", deploys+"/web/status", asMerge, `{"status":{"replicas":1},"spec":{"paused":true},"metadata":{"labels":{"l":"m"}}}`)
	w.shown("PUT", deploys+"/web/scale?fieldManager=scaler", asJSON, `{"metadata":{"name":"web","namespace":"default"},"spec":{"replicas":3}}`)
	obj := w.shown("PATCH", deploys+"/web", asMerge, `{"metadata":{"annotations":{"x":"y"}}}`)
	want := `scaler Update /scale {"f:spec":{"f:replicas":{}}}
tester Update /status {"f:status":{"f:replicas":{}}}
tester Update {"f:metadata":{"f:annotations":{".":{},"f:x":{}}},"f:spec":{"f:progressDeadlineSeconds":{},"f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}`
	if have := owners(t, obj); have != want {
		t.Errorf("owners:\n%s\nwant:\n%s", have, want)
	}
}

func TestApplyScaleMovesTheReplicas(t *testing.T) {
	w := newWorld(t)
	w.shown("PATCH", deploys+"/web?fieldManager=x", asApply, strings.Replace(deployment, `"spec":{`, `"spec":{"replicas":1,`, 1))
	scale := `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":2}}`
	if got := w.send("PATCH", deploys+"/web/scale?fieldManager=y", asApply, scale); got.Code != http.StatusConflict {
		t.Fatalf("a scale that another owns: %d %s", got.Code, got.Body)
	}
	w.shown("PATCH", deploys+"/web/scale?fieldManager=y&force=true", asApply, scale)
	obj := w.shown("GET", deploys+"/web", "", "")
	if have := owners(t, obj); !strings.Contains(have, `y Apply /scale {"f:spec":{"f:replicas":{}}}`) || strings.Count(have, "f:replicas") != 1 {
		t.Errorf("owners: %s", have)
	}
}

func TestManagedFieldsAreReset(t *testing.T) {
	for _, reset := range []string{`[]`, `[{}]`} {
		w := newWorld(t)
		w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"v"}`))
		if obj := w.shown("PATCH", configMaps+"/a", asMerge, `{"metadata":{"managedFields":`+reset+`}}`); obj.GetManagedFields() != nil {
			t.Errorf("%s: %v", reset, obj.GetManagedFields())
		}
		if obj := w.shown("PATCH", configMaps+"/a", asMerge, `{"data":{"k":"w"}}`); obj.GetManagedFields() != nil {
			t.Errorf("%s, then a write: %v", reset, obj.GetManagedFields())
		}
		if got := w.send("PATCH", configMaps+"/a?fieldManager=y", asApply, configMap("a", `,"data":{"k":"x"}`)); !strings.Contains(string(got.Body), `conflict with \"before-first-apply\" using v1: .data.k`) {
			t.Errorf("%s, then an apply: %d %s", reset, got.Code, got.Body)
		}
	}
}

func TestBadManagedFieldsAreIgnored(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"v"}`))
	obj := w.shown("PATCH", configMaps+"/a", asMerge, `{"metadata":{"managedFields":[{"manager":"x","operation":"Bad","apiVersion":"v1"}]},"data":{"k":"p"}}`)
	if have := owners(t, obj); have != `tester Update {"f:data":{".":{},"f:k":{}}}` {
		t.Errorf("owners: %s", have)
	}
}

func TestUpdateManagersAreCapped(t *testing.T) {
	w := newWorld(t)
	w.shown("POST", configMaps, asJSON, configMap("a", `,"data":{"k":"v"}`))
	obj := w.shown("GET", configMaps+"/a", "", "")
	for _, m := range strings.Split("abcdefghijklm", "") {
		obj = w.shown("PATCH", configMaps+"/a?fieldManager="+m, asMerge, `{"data":{"`+m+`":"v"}}`)
	}
	if n := len(obj.GetManagedFields()); n != 10 {
		t.Errorf("%d managers: %s", n, owners(t, obj))
	}
}

func TestClientSideAppliesBecomeServerSide(t *testing.T) {
	w := newWorld(t)
	last := `"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}"}`
	w.shown("POST", configMaps+"?fieldManager=kubectl-client-side-apply", asJSON, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a",`+last+`},"data":{"k":"v"}}`)
	obj := w.shown("PATCH", configMaps+"/a?fieldManager=kubectl", asApply, configMap("a", `,"data":{"k":"w"}`))
	if !strings.Contains(obj.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"], `"k":"w"`) {
		t.Errorf("annotation: %v", obj.GetAnnotations())
	}
}

// owners is managedFields in short: "manager operation subresource fields", one line each, sorted: their own order is that of their times, which count
// in seconds.
func owners(t *testing.T, obj *unstructured.Unstructured) string {
	t.Helper()
	var lines []string
	for _, e := range obj.GetManagedFields() {
		line := e.Manager + " " + string(e.Operation)
		if e.Subresource != "" {
			line += " /" + e.Subresource
		}
		lines = append(lines, line+" "+string(e.FieldsV1.GetRawBytes()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
