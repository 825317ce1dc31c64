package apiserver

import (
	"net/http"
	"testing"
)

const rbacPath = "/apis/rbac.authorization.k8s.io/v1/"

// TestNobodyGrantsMoreThanTheyHold: messages are stock's, recorded from v1.37.2.
func TestNobodyGrantsMoreThanTheyHold(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	roles, bindings := rbacPath+"namespaces/room/roles", rbacPath+"namespaces/room/rolebindings"
	role := func(name, rules string) string {
		return "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: " + name + "}, rules: [" + rules + "]}"
	}
	bind := func(name, kind, role, user string) string {
		return "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: " + name + "}, " +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: " + kind + ", name: " + role + "}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: " + user + "}]}"
	}
	w.must("", "POST", roles, role("maker", "{apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [create, get, patch, update]}"))
	w.must("", "POST", bindings, bind("maker", "Role", "maker", "bob"))

	greedy := role("greedy", "{apiGroups: [''], resources: [pods, secrets], verbs: [get, list]}, {apiGroups: [apps], resources: [deployments], resourceNames: [x, z], verbs: [get, '*']}")
	want := `roles.rbac.authorization.k8s.io "greedy" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}
{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}
{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["x"], Verbs:["get" "*"]}
{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["z"], Verbs:["get" "*"]}`
	w.refused(w.do("bob", "POST", roles, greedy), http.StatusForbidden, want)
	w.must("bob", "POST", roles, role("modest", "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get]}"))
	w.refused(w.do("bob", "PATCH", roles+"/modest", `{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}`), http.StatusForbidden,
		`roles.rbac.authorization.k8s.io "modest" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`)

	w.refused(w.do("bob", "POST", bindings, bind("b", "ClusterRole", "view", "eve")), http.StatusForbidden,
		`rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:`+"\n...")
	w.refused(w.do("bob", "POST", bindings, bind("b", "Role", "nope", "eve")), http.StatusNotFound, `rolebindings.rbac.authorization.k8s.io "nope" not found`)
	w.must("bob", "POST", bindings, bind("b", "Role", "modest", "eve"))

	// The garbage collector's way: nothing but owners and finalizers changes.
	w.must("", "POST", roles, greedy)
	w.must("bob", "PATCH", roles+"/greedy", `{"metadata":{"finalizers":["example.com/x"]}}`)
	w.refused(w.do("bob", "PATCH", roles+"/greedy", `{"metadata":{"labels":{"a":"b"}}}`), http.StatusForbidden, want)

	w.must("", "POST", roles, role("escalator", "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [escalate]}, {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [view], verbs: [bind]}"))
	w.must("", "POST", bindings, bind("escalator", "Role", "escalator", "bob"))
	w.must("bob", "PATCH", roles+"/modest", `{"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}`)
	w.must("bob", "POST", bindings, bind("c", "ClusterRole", "view", "eve"))
	w.refused(w.do("bob", "POST", bindings, bind("d", "ClusterRole", "edit", "eve")), http.StatusForbidden, `rolebindings.rbac.authorization.k8s.io "d" is forbidden: ...`)
}

func TestAggregationNeedsEverything(t *testing.T) {
	w := newWorld(t)
	path := rbacPath + "clusterroles"
	w.grant("bob", "{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [create]}")
	gatherer := "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: gatherer}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}}"
	w.refused(w.do("bob", "POST", path, gatherer), http.StatusForbidden,
		`clusterroles.rbac.authorization.k8s.io "gatherer" is forbidden: must have cluster-admin privileges to use the aggregationRule`)
	w.must("", "POST", path, gatherer)
}

func TestImpersonationNeedsAName(t *testing.T) {
	w := newWorld(t)
	for header, want := range map[string]string{
		"Impersonate-Group":        `requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"x"}, Extra:map[string][]string(nil)} without impersonating a user name`,
		"Impersonate-Uid":          `requested &user.DefaultInfo{Name:"", UID:"x", Groups:[]string(nil), Extra:map[string][]string(nil)} without impersonating a user name`,
		"Impersonate-Extra-Scopes": `requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string(nil), Extra:map[string][]string{"scopes":[]string{"x"}}} without impersonating a user name`,
	} {
		w.refused(w.send("GET", "/api/v1/namespaces", "", "", header, "x"), http.StatusBadRequest, want)
	}
	claim := []string{asUser, "bob", "Impersonate-User", "joe", "Impersonate-Group", "g", "Impersonate-Uid", "7", "Impersonate-Extra-Scopes", "x"}
	w.refused(w.send("GET", "/api/v1/namespaces", "", "", claim...), http.StatusForbidden,
		`users "joe" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope`)
	w.grant("bob", "{apiGroups: ['', authentication.k8s.io], resources: [users, groups, uids], verbs: [impersonate]}")
	w.refused(w.send("GET", "/api/v1/namespaces", "", "", claim...), http.StatusForbidden,
		`userextras.authentication.k8s.io "x" is forbidden: User "bob" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope`)
	scopeless := claim[:len(claim)-2]
	w.refused(w.send("GET", "/api/v1/namespaces", "", "", scopeless...), http.StatusForbidden,
		`namespaces is forbidden: User "joe" cannot list resource "namespaces" in API group "" at the cluster scope`)
}
