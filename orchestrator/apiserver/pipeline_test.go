package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// Deletions passed only the validating half of admission, where NamespaceLifecycle and NodeRestriction do not sit: a kubelet could delete the pods of
// another node, and anybody kube-system.
func TestDeletionsAreAdmitted(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", pods, pod("theirs", "nodeName: n2"))
	w.refused(w.do("system:node:n1,system:nodes", "DELETE", pods+"/theirs", ""), http.StatusForbidden,
		`pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself`)
	for _, name := range []string{"default", "kube-system", "kube-public"} {
		w.refused(w.do("", "DELETE", "/api/v1/namespaces/"+name, ""), http.StatusForbidden, `namespaces "`+name+`" is forbidden: this namespace may not be deleted`)
	}
	w.must("system:node:n2,system:nodes", "DELETE", pods+"/theirs", "")
}

func TestACollectionIsDeletedUpToItsLimit(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	for i := range 3 {
		w.must("", "POST", maps, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: m%d}}", i))
	}
	w.must("", "DELETE", maps+"?limit=1", "")
	if items := w.must("", "GET", maps, "").object(t).Object["items"].([]any); len(items) != 2 {
		t.Errorf("%d are left", len(items))
	}
}

// evict asks for an eviction, with further fields of its body.
func (w *world) evict(name, more string) answer {
	return w.send("POST", pods+"/"+name+"/eviction", asJSON, `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"`+name+`"}`+more+`}`)
}

func TestEvictionsAreMeantForOnePod(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", pods, pod("p", "nodeName: n9"))
	uid := string(w.must("", "GET", pods+"/p", "").object(t).GetUID())
	w.refused(w.evict("p", `,"deleteOptions":{"preconditions":{"uid":"no"}}`), http.StatusConflict,
		`Operation cannot be fulfilled on Pod "p": the UID in the precondition (no) does not match the UID in record (`+uid+`). The object might have been deleted and then recreated`)
	w.refused(w.evict("p", `,"deleteOptions":{"propagationPolicy":"Nope"}`), http.StatusUnprocessableEntity,
		`DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Nope": supported values: "Foreground", "Background", "Orphan", "nil"`)
	w.refused(w.evict("p", `,"deleteOptions":{"dryRun":["Some"]}`), http.StatusUnprocessableEntity,
		`DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"`)
	w.refused(w.send("POST", pods+"/p/eviction", asJSON, `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"q"}}`), http.StatusBadRequest,
		"name in URL does not match name in Eviction object")
	if body := string(w.must("", "GET", pods+"/p", "").Body); strings.Contains(body, "DisruptionTarget") {
		t.Errorf("a refused eviction touched the pod: %s", body)
	}
	older := `{"apiVersion":"policy/v1beta1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"dryRun":["All"]}}`
	if a := w.send("POST", pods+"/p/eviction", asJSON, older); a.Code != http.StatusCreated {
		t.Errorf("an eviction of policy/v1beta1: %d %s", a.Code, a.Body)
	}
	w.must("", "GET", pods+"/p", "") // that was a dry run
	if a := w.evict("p", `,"deleteOptions":{"preconditions":{"uid":"`+uid+`"}}`); a.Code != http.StatusCreated {
		t.Errorf("an eviction of this very pod: %d %s", a.Code, a.Body)
	}
	if body := string(w.must("", "GET", pods+"/p", "").Body); !strings.Contains(body, "DisruptionTarget") || !strings.Contains(body, "deletionTimestamp") {
		t.Errorf("the evicted pod: %s", body)
	}
}

// overtaken is a store in which somebody's write goes before the next one of a key.
type overtaken struct {
	store.Store
	key    string
	first  func()
	before atomic.Bool
}

func (o *overtaken) Update(ctx context.Context, put store.Put, expected int64) (int64, error) {
	if put.Key == o.key && o.before.CompareAndSwap(true, false) {
		o.first()
	}
	return o.Store.Update(ctx, put, expected)
}

// A pod that was Pending when its eviction was decided, and runs when it is done, goes only by its budget.
func TestAnEvictionIsDecidedAnewForAPodThatBeganToRun(t *testing.T) {
	backend := &overtaken{Store: memory.New(), key: "/registry/pods/room/p"}
	w := newWorldOn(t, backend)
	w.namespace("room")
	w.must("", "POST", pods, strings.Replace(pod("p", "nodeName: n9"), "{name: p}", "{name: p, labels: {a: b}}", 1))
	budget := "/apis/policy/v1/namespaces/room/poddisruptionbudgets"
	w.must("", "POST", budget, "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, spec: {maxUnavailable: 0, selector: {matchLabels: {a: b}}}}")
	w.must("", "PATCH", budget+"/b/status", `{"status":{"observedGeneration":1,"disruptionsAllowed":0,"currentHealthy":1,"desiredHealthy":1,"expectedPods":1}}`)
	backend.first = func() {
		w.must("", "PATCH", pods+"/p/status", `{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`)
	}
	backend.before.Store(true)
	w.refused(w.evict("p", ""), http.StatusTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.")
	if body := string(w.must("", "GET", pods+"/p", "").Body); strings.Contains(body, "deletionTimestamp") || strings.Contains(body, "DisruptionTarget") {
		t.Errorf("the pod went without its budget: %s", body)
	}
}

// A deletion that changes nothing was believed from the cache alone.
func TestADryRunOfADeletionLooksAtTheStore(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	w.must("", "POST", maps, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}")
	w.must("", "DELETE", maps+"/m", "")
	w.refused(w.do("", "DELETE", maps+"/m?dryRun=All", ""), http.StatusNotFound, `configmaps "m" not found`)
}

func TestBodiesOfSubresourcesAreReadAsStrictlyAsObjects(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", pods, pod("p", ""))
	binding := func(query, body string) answer { return w.send("POST", pods+"/p/binding"+query, asJSON, body) }
	w.refused(binding("?fieldValidation=Strict", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"name":"n","bogus":1}}`), http.StatusBadRequest,
		`Binding in version "v1" cannot be handled as a Binding: strict decoding error: unknown field "target.bogus"`)
	w.refused(binding("", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"Target":{"name":"n"}}`), http.StatusInternalServerError, "target.name: Required value")
	w.refused(binding("", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Zone","name":"n"}}`), http.StatusInternalServerError,
		`target.kind: Unsupported value: "Zone": supported values: "Node", "<empty>"`)
	w.refused(binding("", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"q"},"target":{"name":"n"}}`), http.StatusBadRequest, "name in URL does not match name in Binding object")
	w.refused(binding("", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p","namespace":"elsewhere"},"target":{"name":"n"}}`), http.StatusBadRequest,
		"the namespace of the provided object does not match the namespace sent on the request")
	w.refused(binding("?dryRun=Some", `{"metadata":{"name":"p"},"target":{"name":"n"}}`), http.StatusUnprocessableEntity,
		`CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"`)
	warned := binding("?dryRun=All", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"name":"n","bogus":1}}`)
	if len(warned.warnings()) != 1 || warned.warnings()[0] != `299 - "unknown field \"target.bogus\""` {
		t.Errorf("warnings %q of %d %s", warned.warnings(), warned.Code, warned.Body)
	}
}

// Whoever writes addresses must not aim the apiserver at itself.
func TestTheApiserverDialsNobodysLoopback(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", pods, pod("p", "nodeName: n9"))
	w.must("", "POST", "/api/v1/nodes", "{apiVersion: v1, kind: Node, metadata: {name: n9}}")
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "::1"} {
		w.must("", "PATCH", "/api/v1/nodes/n9/status", `{"status":{"addresses":[{"type":"InternalIP","address":"`+address+`"}]}}`)
		w.must("", "PATCH", pods+"/p/status", `{"status":{"phase":"Running","podIP":"`+address+`","podIPs":[{"ip":"`+address+`"}]}}`)
		for _, path := range []string{pods + "/p/proxy/", pods + "/p/exec?command=x&stdout=1", pods + "/p/log", "/api/v1/nodes/n9/proxy/x", "/api/v1/nodes/n9:2379/proxy/"} {
			w.refused(w.do("", "GET", path, ""), http.StatusBadRequest, "address not allowed")
		}
		w.must("", "PATCH", pods+"/p/status", `{"status":{"podIP":null,"podIPs":null}}`)
	}
}

// Whoever waits for a name to be free learns that it will be.
func TestANameThatIsBeingGivenUp(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	maps := "/api/v1/namespaces/room/configmaps"
	m := "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, finalizers: [a.io/b]}}"
	w.must("", "POST", maps, m)
	for _, query := range []string{"", "?dryRun=All"} {
		w.refused(w.do("", "POST", maps+query, m), http.StatusConflict, `configmaps "m" already exists`)
	}
	w.must("", "DELETE", maps+"/m", "")
	for _, query := range []string{"", "?dryRun=All"} {
		w.refused(w.do("", "POST", maps+query, m), http.StatusConflict, `object is being deleted: configmaps "m" already exists`)
	}
}
