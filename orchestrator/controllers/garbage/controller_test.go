package garbage

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	discovery "k8s.io/client-go/discovery/fake"
	metadata "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/restmapper"
	clients "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

var configMaps = core.SchemeGroupVersion.WithResource("configmaps")

// apiOf is a collector, not running, over an API that holds the ConfigMaps.
func apiOf(t *testing.T, objects ...*meta.PartialObjectMetadata) (*collector, *metadata.FakeMetadataClient, *record.FakeRecorder) {
	t.Helper()
	scheme := metadata.NewTestScheme()
	if err := meta.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var all []runtime.Object
	for _, o := range objects {
		all = append(all, o)
	}
	client, events := metadata.NewSimpleMetadataClient(scheme, all...), record.NewFakeRecorder(16)
	served := &discovery.FakeDiscovery{Fake: &clients.Fake{Resources: []*meta.APIResourceList{{GroupVersion: "v1", APIResources: []meta.APIResource{
		{Name: "configmaps", Kind: "ConfigMap", Namespaced: true, Verbs: meta.Verbs{"get"}}, {Name: "secrets", Kind: "Secret", Namespaced: true, Verbs: meta.Verbs{"get"}},
		{Name: "nodes", Kind: "Node", Verbs: meta.Verbs{"get"}},
	}}}}}
	logger := slog.New(slog.DiscardHandler)
	c := &collector{
		World: &world.World{Metadata: client, Events: events, Logger: logger}, graph: newGraph(), absent: newAbsent(),
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(served)), loop: loop.New(t.Context(), 1, logger, nil),
	}
	return c, client, events
}

func configMap(namespace, name string, owners ...meta.OwnerReference) *meta.PartialObjectMetadata {
	return &meta.PartialObjectMetadata{
		TypeMeta:   meta.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), OwnerReferences: owners},
	}
}

func ownedBy(kind, namespace, name string) meta.OwnerReference {
	return meta.OwnerReference{APIVersion: "v1", Kind: kind, Name: name, UID: types.UID(namespace + "/" + name)}
}

// see is what the watch of ConfigMaps does with one.
func (c *collector) see(o *meta.PartialObjectMetadata) {
	again, strays := c.graph.put(identity{configMaps, o.Namespace, o.Name}, "ConfigMap", o)
	c.again(again)
	c.report(strays)
}

func deleted(client *metadata.FakeMetadataClient) (names []string) {
	for _, action := range client.Actions() {
		if d, ok := action.(clients.DeleteAction); ok {
			names = append(names, d.GetNamespace()+"/"+d.GetName())
		}
	}
	return names
}

func TestDependentsAreJudgedByWhatTheirReferencesMean(t *testing.T) {
	far := ownedBy("ConfigMap", "a", "owner")
	for _, row := range []struct {
		name string
		// seen is the order in which the watches show the objects, that in which they are looked at.
		seen    []*meta.PartialObjectMetadata
		deleted []string
		fails   bool
	}{
		{"a stranger in another namespace asks first", []*meta.PartialObjectMetadata{configMap("b", "stranger", far), configMap("a", "rightful", far), configMap("a", "owner")}, []string{"b/stranger"}, false},
		{"a stranger in another namespace asks last", []*meta.PartialObjectMetadata{configMap("a", "owner"), configMap("a", "rightful", far), configMap("b", "stranger", far)}, []string{"b/stranger"}, false},
		{"the right UID by another kind", []*meta.PartialObjectMetadata{configMap("a", "owner"), configMap("a", "d", ownedBy("Secret", "a", "owner"))}, []string{"a/d"}, false},
		{"another kind does not condemn the right one", []*meta.PartialObjectMetadata{configMap("a", "d", ownedBy("Secret", "a", "owner")), configMap("a", "rightful", far), configMap("a", "owner")}, []string{"a/d"}, false},
		{"a kind that nobody serves", []*meta.PartialObjectMetadata{configMap("a", "d", meta.OwnerReference{APIVersion: "example.com/v1", Kind: "Thing", Name: "x", UID: "x"})}, nil, true},
		{"the same UID was absent as another kind", []*meta.PartialObjectMetadata{
			configMap("a", "d", meta.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x"}), configMap("a", "e", meta.OwnerReference{APIVersion: "example.com/v1", Kind: "Thing", Name: "x", UID: "x"}),
		}, []string{"a/d"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, client, _ := apiOf(t, row.seen...)
			for _, o := range row.seen {
				c.see(o)
			}
			failed := false
			for _, o := range row.seen {
				failed = c.sync(t.Context(), o.UID) != nil || failed
			}
			if got := deleted(client); !slices.Equal(got, row.deleted) || failed != row.fails {
				t.Errorf("deleted %v, failed %t; want %v and %t", got, failed, row.deleted, row.fails)
			}
		})
	}
}

// A new leader sees dependents before their owner; what an apiserver answers that does not serve the owner's kind yet is no answer about the owner.
func TestAServerThatDoesNotServeTheOwnersKindCondemnsNobody(t *testing.T) {
	for _, row := range []struct {
		name string
		err  *errors.StatusError
	}{
		{"another program's words", errors.NewGenericServerResponse(http.StatusNotFound, "get", schema.GroupResource{Resource: "secrets"}, "owner", "404 page not found", 0, true)},
		{"the API's words", &errors.StatusError{ErrStatus: meta.Status{Status: meta.StatusFailure, Code: 404, Reason: meta.StatusReasonNotFound, Details: &meta.StatusDetails{}}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := configMap("a", "d", ownedBy("Secret", "a", "owner"))
			c, client, _ := apiOf(t, d)
			client.PrependReactor("get", "secrets", func(clients.Action) (bool, runtime.Object, error) { return true, nil, row.err })
			c.see(d)
			if err := c.sync(t.Context(), d.UID); err == nil || len(deleted(client)) > 0 {
				t.Errorf("deleted %v, error %v", deleted(client), err)
			}
		})
	}
}

// The graph is behind: it says of an owner that it is ending in the foreground, or nothing, while the API says that it lives.
func TestTheAPIIsAskedBeforeAnythingIsDeleted(t *testing.T) {
	ref, yes := ownedBy("ConfigMap", "a", "owner"), true
	ref.BlockOwnerDeletion = &yes
	owner, d := configMap("a", "owner"), configMap("a", "d", ref)
	ending := owner.DeepCopy()
	ending.Finalizers, ending.DeletionTimestamp = []string{meta.FinalizerDeleteDependents}, &meta.Time{}
	for name, seen := range map[string][]*meta.PartialObjectMetadata{"ending": {ending, d}, "unseen": {d}} {
		t.Run(name, func(t *testing.T) {
			c, client, _ := apiOf(t, owner, d)
			for _, o := range seen {
				c.see(o)
			}
			if err := c.sync(t.Context(), d.UID); err != nil || len(deleted(client)) > 0 {
				t.Errorf("deleted %v, error %v", deleted(client), err)
			}
		})
	}
}

func TestOwnersThatAreGoneAreForgotten(t *testing.T) {
	a := newAbsent()
	for i := range 10 * absences {
		a.add(edge{uid: types.UID(fmt.Sprint(i))}, "a")
	}
	if n := len(a.lru.Keys()); n > absences {
		t.Errorf("%d owners are remembered, want at most %d", n, absences)
	}
}

func TestAReferenceIntoAnotherNamespaceIsReported(t *testing.T) {
	owner, d := configMap("a", "owner"), configMap("b", "d", ownedBy("ConfigMap", "a", "owner"))
	want := `Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: b, name: owner, uid: a/owner] does not exist in namespace "b"`
	for name, seen := range map[string][]*meta.PartialObjectMetadata{"owner first": {owner, d, d}, "dependent first": {d, owner, owner}} {
		t.Run(name, func(t *testing.T) {
			c, _, events := apiOf(t, owner, d)
			for _, o := range seen {
				c.see(o)
			}
			close(events.Events)
			var got []string
			for e := range events.Events {
				got = append(got, e)
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("reported %q, want %q", got, want)
			}
		})
	}
}
