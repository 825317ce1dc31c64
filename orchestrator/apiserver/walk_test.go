package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/escalation"
)

// witness notes what admission is asked, as "half operation resource/subresource kind object old", and passes the question on.
type witness struct {
	admission.Judge
	mu    sync.Mutex
	asked map[string]bool
}

func (r *witness) note(half string, a *admission.Attributes) {
	shows := func(what string, there bool) string {
		if there {
			return " " + what
		}
		return ""
	}
	resource := a.Kind.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[fmt.Sprintf("%s %s %s %s%s%s", half, a.Operation, resource, a.Body.Kind, shows("object", a.Object != nil), shows("old", a.Old != nil))] = true
}

func (r *witness) Admit(ctx context.Context, a *admission.Attributes) error {
	r.note("admit", a)
	return r.Judge.Admit(ctx, a)
}

func (r *witness) Validate(ctx context.Context, a *admission.Attributes) error {
	r.note("validate", a)
	return r.Judge.Validate(ctx, a)
}

// taken returns what was asked since the last call, sorted.
func (r *witness) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for line := range r.asked {
		all = append(all, line)
	}
	clear(r.asked)
	slices.Sort(all)
	return all
}

// walker sends requests and compares what admission was asked with what it has to be.
type walker struct {
	*world
	*witness
}

func newWalker(t *testing.T) *walker {
	w := newWorld(t)
	guard := w.server.parts.Admission.(*escalation.Guard)
	r := &witness{Judge: guard.Judge, asked: map[string]bool{}}
	guard.Judge = r
	w.namespace(casesNamespace)
	r.taken()
	return &walker{w, r}
}

// meets sends a request that has to be asked about, mutating and validating, in just these words.
func (w *walker) meets(want, method, path, media, body string) answer {
	w.Helper()
	a := w.send(method, path, media, body)
	if got, both := w.taken(), []string{"admit " + want, "validate " + want}; !slices.Equal(got, both) {
		w.Errorf("%s %s (%d %s)\nadmission was asked %q\nand has to be      %q", method, path, a.Code, a.status().Message, got, both)
	}
	return a
}

// TestEveryWriteMeetsAdmission walks the catalogue: each verb of each resource and each subresource that is a part of its object is shown to mutating
// and to validating admission, with the operation and the objects that stock shows.
func TestEveryWriteMeetsAdmission(t *testing.T) {
	w := newWalker(t)
	files, err := filepath.Glob(filepath.Join(casesFolder, "*.cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]cases{}
	for _, file := range files {
		var c cases
		load(t, file, &c)
		objects[c.Base["kind"].(string)] = c
	}
	for _, k := range Catalogue() {
		if !slices.Contains(verbsOf(k), "create") || mounted(w.server, k, "") {
			continue // what is only posted is in the other test
		}
		c, ok := objects[k.Names.Kind]
		if !ok {
			t.Errorf("there is no object of kind %s to walk with", k.Names.Kind)
			continue
		}
		t.Run(k.Resource, func(t *testing.T) { w.walk(t, k, c) })
	}
}

func verbsOf(k *kind.Kind) []string {
	if k.Verbs == nil {
		return kind.AllVerbs
	}
	return k.Verbs
}

func mounted(s *Server, k *kind.Kind, subresource string) bool {
	for _, m := range s.parts.Mounts {
		if m.Resource == k.GroupResource() && m.Subresource == subresource {
			return true
		}
	}
	return false
}

// annotate is a change that every kind allows.
const annotate = `{"metadata":{"annotations":{"walked":"%s"}}}`

func (w *walker) walk(t *testing.T, k *kind.Kind, c cases) {
	w = &walker{&world{TB: t, handler: w.handler, server: w.server}, w.witness}
	body, err := json.Marshal(c.Base)
	if err != nil {
		t.Fatal(err)
	}
	about := func(operation, subresource, kind, objects string) string {
		return fmt.Sprintf("%s %s%s %s %s", operation, k.Resource, subresource, kind, objects)
	}
	made := w.meets(about("CREATE", "", k.Names.Kind, "object"), http.MethodPost, c.Path, asJSON, string(body))
	if made.Code != http.StatusCreated {
		t.Fatalf("create: %d %s", made.Code, made.Body)
	}
	path := c.Path + "/" + made.object(t).GetName()
	verbs := verbsOf(k)
	update := about("UPDATE", "", k.Names.Kind, "object old")
	if slices.Contains(verbs, "update") {
		w.meets(update, http.MethodPut, path, asJSON, string(w.must("", http.MethodGet, path, "").Body))
	}
	if slices.Contains(verbs, "patch") {
		w.meets(update, http.MethodPatch, path, asMerge, fmt.Sprintf(annotate, "merge"))
		applied := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"annotations":{"applied":"1"}}}`, c.Base["apiVersion"], k.Names.Kind, made.object(t).GetName())
		w.meets(update, http.MethodPatch, path+"?fieldManager=walker", asApply, applied)
	}
	for name, sub := range k.Subresources {
		if !mounted(w.server, k, name) {
			w.walkPart(k, path, name, sub)
		}
	}
	w.taken()
	if slices.Contains(verbs, "deletecollection") {
		w.meets(about("DELETE", "", k.Names.Kind, "old"), http.MethodDelete, c.Path+"?dryRun=All&fieldSelector=metadata.name%3D"+made.object(t).GetName(), "", "")
	}
	if slices.Contains(verbs, "delete") {
		w.meets(about("DELETE", "", k.Names.Kind, "old"), http.MethodDelete, path+"?dryRun=All", "", "")
		w.meets(about("DELETE", "", k.Names.Kind, "old"), http.MethodDelete, path+"?gracePeriodSeconds=0", "", "")
	}
}

// walkPart writes a subresource that is a part of its object, or a view of it.
func (w *walker) walkPart(k *kind.Kind, path, name string, sub kind.Subresource) {
	w.Helper()
	shown := k.Names.Kind
	if sub.Scale != nil {
		shown = "Scale"
	}
	want := fmt.Sprintf("UPDATE %s/%s %s object old", k.Resource, name, shown)
	if slices.Contains(sub.Verbs, "update") {
		present := path
		if slices.Contains(sub.Verbs, "get") {
			present += "/" + name
		}
		w.meets(want, http.MethodPut, path+"/"+name, asJSON, string(w.must("", http.MethodGet, present, "").Body))
	}
	if slices.Contains(sub.Verbs, "patch") {
		w.meets(want, http.MethodPatch, path+"/"+name, asMerge, `{}`)
	}
}

// postedAndConnected is what stock v1.37.2 shows to admission of the resources and subresources that store no object of their own: a policy that
// refuses everything told what it had seen. Nothing is asked about a log, which is read.
var postedAndConnected = map[string]struct{ method, path, body, want string }{
	"pods/binding":  {"POST", "/api/v1/namespaces/guard-cases/pods/p/binding", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}`, "CREATE pods/binding Binding object"},
	"bindings":      {"POST", "/api/v1/namespaces/guard-cases/bindings", `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}`, "CREATE bindings Binding object"},
	"pods/eviction": {"POST", "/api/v1/namespaces/guard-cases/pods/p/eviction", `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}`, "CREATE pods/eviction Eviction object"},
	"serviceaccounts/token": {"POST", "/api/v1/namespaces/guard-cases/serviceaccounts/default/token", `{"spec":{}}`,
		"CREATE serviceaccounts/token TokenRequest object"},
	"tokenreviews":              {"POST", "/apis/authentication.k8s.io/v1/tokenreviews", `{"spec":{"token":"x"}}`, "CREATE tokenreviews TokenReview object"},
	"selfsubjectreviews":        {"POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", `{}`, "CREATE selfsubjectreviews SelfSubjectReview object"},
	"subjectaccessreviews":      {"POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", `{"spec":{"user":"u"}}`, "CREATE subjectaccessreviews SubjectAccessReview object"},
	"localsubjectaccessreviews": {"POST", "/apis/authorization.k8s.io/v1/namespaces/guard-cases/localsubjectaccessreviews", `{"spec":{"user":"u"}}`, "CREATE localsubjectaccessreviews LocalSubjectAccessReview object"},
	"selfsubjectaccessreviews":  {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{"spec":{}}`, "CREATE selfsubjectaccessreviews SelfSubjectAccessReview object"},
	"selfsubjectrulesreviews":   {"POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", `{"spec":{"namespace":"d"}}`, "CREATE selfsubjectrulesreviews SelfSubjectRulesReview object"},
	"pods/exec":                 {"GET", "/api/v1/namespaces/guard-cases/pods/none/exec?command=x&stdout=1", "", "CONNECT pods/exec PodExecOptions object"},
	"pods/attach":               {"POST", "/api/v1/namespaces/guard-cases/pods/none/attach?stdout=1", "", "CONNECT pods/attach PodAttachOptions object"},
	"pods/portforward":          {"GET", "/api/v1/namespaces/guard-cases/pods/none/portforward", "", "CONNECT pods/portforward PodPortForwardOptions object"},
	"pods/proxy":                {"DELETE", "/api/v1/namespaces/guard-cases/pods/none/proxy/a", "", "CONNECT pods/proxy PodProxyOptions object"},
	"services/proxy":            {"PUT", "/api/v1/namespaces/guard-cases/services/http:none:80/proxy/", "", "CONNECT services/proxy ServiceProxyOptions object"},
	"nodes/proxy":               {"GET", "/api/v1/nodes/none/proxy/x", "", "CONNECT nodes/proxy NodeProxyOptions object"},
	"pods/log":                  {"GET", "/api/v1/namespaces/guard-cases/pods/none/log", "", ""},
}

// TestEveryBodyAndConnectionMeetsAdmission walks the list of mounts.
func TestEveryBodyAndConnectionMeetsAdmission(t *testing.T) {
	w := newWalker(t)
	for _, m := range w.server.parts.Mounts {
		name := strings.TrimSuffix(m.Resource.Resource+"/"+m.Subresource, "/")
		row, ok := postedAndConnected[name]
		if !ok {
			t.Errorf("nobody says what admission is to see of %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := &walker{&world{TB: t, handler: w.handler, server: w.server}, w.witness}
			if row.want != "" {
				w.meets(row.want, row.method, row.path, asJSON, row.body)
				return
			}
			w.send(row.method, row.path, "", row.body)
			if got := w.taken(); len(got) > 0 {
				t.Errorf("admission was asked %q", got)
			}
		})
	}
}
