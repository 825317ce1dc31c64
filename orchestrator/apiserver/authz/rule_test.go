package authz

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

func TestPermits(t *testing.T) {
	pods := rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}}
	named := rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}, ResourceNames: []string{"a"}}
	scale := rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*/scale"}}
	health := rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: []string{"/healthz/*"}}
	resource := func(verb, group, name, resource, sub string) request.Info {
		return request.Info{IsResource: true, Verb: verb, Group: group, Name: name, Resource: resource, Subresource: sub}
	}
	for _, row := range []struct {
		name string
		rule rbacv1.PolicyRule
		info request.Info
		want bool
	}{
		{"resource", pods, resource("get", "", "x", "pods", ""), true},
		{"other verb", pods, resource("list", "", "", "pods", ""), false},
		{"subresource is not its parent", pods, resource("get", "", "x", "pods", "log"), false},
		{"other group", pods, resource("get", "apps", "x", "pods", ""), false},
		{"named", named, resource("get", "", "a", "pods", ""), true},
		{"other name", named, resource("get", "", "b", "pods", ""), false},
		{"subresource of everything", scale, resource("update", "apps", "x", "deployments", "scale"), true},
		{"not the resource itself", scale, resource("update", "apps", "x", "deployments", ""), false},
		{"path below", health, request.Info{Verb: "get", Path: "/healthz/etcd"}, true},
		{"path beside", health, request.Info{Verb: "get", Path: "/metrics"}, false},
		{"path rule on a resource", health, resource("get", "", "", "pods", ""), false},
	} {
		if got := Permits([]rbacv1.PolicyRule{row.rule}, &Attributes{User: &request.User{}, Info: row.info}); got != row.want {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
}
