package apiserver

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestListOptions holds what stock v1.37.2 answered to combinations of options that people tried.
func TestListOptions(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	for _, name := range []string{"a", "b", "c"} {
		w.must("", "POST", maps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: "+name+"}}")
	}
	page := w.must("", "GET", maps+"?limit=1", "").object(t)
	version, token := page.GetResourceVersion(), page.GetContinue()
	invalid := func(faults string) string { return `ListOptions.meta.k8s.io "" is invalid: ` + faults }
	for _, row := range []struct {
		query   string
		code    int
		message string
	}{
		{"continue=" + token + "&resourceVersion=" + version, 400, "specifying resource version is not allowed when using continue"},
		{"continue=" + token + "&resourceVersionMatch=Exact", 422, invalid("[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, " +
			"resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided]")},
		{"resourceVersion=0&resourceVersionMatch=Exact", 422, invalid(`resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`)},
		{"resourceVersionMatch=NotOlderThan", 422, invalid("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")},
		{"resourceVersion=1&resourceVersionMatch=Sometimes", 422, invalid(`resourceVersionMatch: Unsupported value: "Sometimes": supported values: "Exact", "NotOlderThan", ""`)},
		{"sendInitialEvents=true", 422, invalid("sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")},
		{"resourceVersion=abc", 400, `invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax`},
		{"resourceVersion=-1", 400, `invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax`},
		{"continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ", 400, "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"},
		{"watch=true&resourceVersionMatch=Exact&sendInitialEvents=true", 422, invalid("[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, " +
			`resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]`)},
		{"watch=true&sendInitialEvents=false", 422, invalid("resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")},
		{"watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan", 422, invalid("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")},
		{"watch=true&resourceVersion=abc", 500, `resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax`},
	} {
		w.refused(w.do("", "GET", maps+"?"+row.query, ""), row.code, row.message)
	}
	w.refused(w.do("", "GET", maps+"/a?resourceVersion=abc", ""), http.StatusInternalServerError, `resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax`)
	if one := w.must("", "GET", maps+"/a?watch=true", "").object(t); one.GetKind() != "ConfigMap" {
		t.Errorf("?watch=true of one object: %v", one.Object)
	}
}

// A list with a limit and a version, but no match, is of exactly that version.
func TestALimitedListOfAVersionIsExact(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	w.must("", "POST", maps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
	before := w.must("", "GET", maps, "").object(t).GetResourceVersion()
	w.must("", "DELETE", maps+"/a", "")
	w.must("", "POST", maps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}")
	then := string(w.must("", "GET", maps+"?limit=5&resourceVersion="+before, "").Body)
	if !strings.Contains(then, `"name":"a"`) || strings.Contains(then, `"name":"b"`) || !strings.Contains(then, `"resourceVersion":"`+before+`"`) {
		t.Errorf("the list at %s: %s", before, then)
	}
	if now := string(w.must("", "GET", maps+"?limit=5", "").Body); !strings.Contains(now, `"name":"b"`) {
		t.Errorf("a limited list without a version: %s", now)
	}
}

// The old path of one namespace's watch names it twice, as the namespace and as the object.
func TestAWatchOfOneNamespaceByItsOldPathSeesChanges(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "PATCH", "/api/v1/namespaces/room", `{"metadata":{"labels":{"a":"b"}}}`)
	version := w.must("", "GET", "/api/v1/namespaces/room", "").object(t).GetResourceVersion()
	before, err := strconv.Atoi(version)
	if err != nil {
		t.Fatal(err)
	}
	events := string(w.must("", "GET", "/api/v1/watch/namespaces/room?timeoutSeconds=1&resourceVersion="+strconv.Itoa(before-1), "").Body)
	if !strings.Contains(events, `"type":"MODIFIED"`) || !strings.Contains(events, `"a":"b"`) {
		t.Errorf("events: %s", events)
	}
}

func TestPatchesThatAreNone(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	w.must("", "POST", maps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
	for _, row := range []struct{ media, body, message string }{
		{asMerge, "null", "Invalid JSON Patch"},
		{asMerge, "[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		{asMerge, "{", "invalid JSON patch"},
		{asJSONPatch, "{}", "error decoding patch: json: cannot unmarshal object into Go value of type []interface {}"},
	} {
		w.refused(w.send("PATCH", maps+"/a", row.media, row.body), http.StatusBadRequest, row.message)
	}
}
