package apiserver

import (
	"net/http"
	"testing"
)

// TestSessionsAreCreatedWhateverTheirMethod: a WebSocket's GET would else open to readers what SPDY's POST keeps from them. Messages are stock's.
func TestSessionsAreCreatedWhateverTheirMethod(t *testing.T) {
	w := newWorld(t)
	w.namespace("room")
	w.must("", "POST", "/api/v1/namespaces/room/pods", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}")
	grant := func(user, verbs string) {
		w.must("", "POST", rbacPath+"namespaces/room/roles", "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "+user+"}, "+
			"rules: [{apiGroups: [''], resources: [pods/attach, pods/exec, pods/portforward, pods/log], verbs: ["+verbs+"]}]}")
		w.must("", "POST", rbacPath+"namespaces/room/rolebindings", "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: "+user+"}, "+
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "+user+"}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "+user+"}]}")
	}
	grant("reader", "get")
	grant("maker", "create")
	grant("both", "get, create")
	path := "/api/v1/namespaces/room/pods/p/"
	const unplaced = "pod p does not have a host assigned" // what comes after every right was found
	for _, what := range []string{"exec?command=x&stdout=1", "attach?stdout=1", "portforward?ports=1"} {
		w.refused(w.do("reader", "GET", path+what, ""), http.StatusForbidden, `pods "p" is forbidden: `)
		w.refused(w.do("maker", "GET", path+what, ""), http.StatusForbidden, `pods "p" is forbidden: User "maker" cannot get resource ...`)
		w.refused(w.do("maker", "POST", path+what, ""), http.StatusBadRequest, unplaced)
		w.refused(w.do("both", "GET", path+what, ""), http.StatusBadRequest, unplaced)
	}
	w.refused(w.do("reader", "GET", path+"log", ""), http.StatusBadRequest, unplaced)
}
