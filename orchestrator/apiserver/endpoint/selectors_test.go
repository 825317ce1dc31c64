package endpoint

import (
	"testing"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

func TestUnknownFieldsAreRefusedInTheWordsOfTheirGroup(t *testing.T) {
	const only = `"x" is not a known field selector: only "metadata.name", "metadata.namespace"`
	for _, c := range []struct {
		name  string
		names kind.Names
		more  bool
		want  string
	}{
		{"pods", kind.Names{Kind: "Pod"}, true, "field label not supported: x"},
		{"configmaps", kind.Names{Kind: "ConfigMap"}, false, only},
		{"replicasets", kind.Names{Group: "apps", Kind: "ReplicaSet"}, true, only},
		{"jobs", kind.Names{Group: "batch", Kind: "Job"}, true, `field label "x" not supported for Job`},
	} {
		if got := unknownField(c.names, c.more, "x"); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestSelectableFields(t *testing.T) {
	o := selectable{&watchcache.Object{Meta: watchcache.Meta{Name: "a", Namespace: "b", Fields: map[string]string{"spec.nodeName": "n"}}}}
	for selector, want := range map[string]bool{
		"": true, "metadata.name=a": true, "metadata.name!=a": false, "metadata.name=a,spec.nodeName=n": true, "metadata.namespace=c": false, "spec.nodeName=": false,
	} {
		s, err := fields.ParseSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Matches(o); got != want {
			t.Errorf("%q: %v", selector, got)
		}
	}
	if !o.Has("spec.nodeName") || !o.Has("metadata.name") || o.Has("spec.hostNetwork") {
		t.Error("a field that is there is not, or the other way round")
	}
}

func TestScopes(t *testing.T) {
	for _, row := range []struct {
		namespaced bool
		info       request.Info
		want       string
	}{
		{true, request.Info{}, "/registry/things/"},
		{true, request.Info{Name: "a"}, "/registry/things/"},
		{true, request.Info{Namespace: "d"}, "/registry/things/d/"},
		{true, request.Info{Namespace: "d", Name: "a"}, "/registry/things/d/a"},
		{false, request.Info{Name: "a"}, "/registry/things/a"},
		{false, request.Info{}, "/registry/things/"},
	} {
		c := &call{kind: &kind.Kind{Namespaced: row.namespaced, Storage: kind.Storage{Prefix: "things"}}, info: &row.info}
		if got := c.scope(); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}
