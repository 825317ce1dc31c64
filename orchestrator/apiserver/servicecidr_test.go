package apiserver

import (
	"net/http"
	"strings"
	"testing"
)

// A ServiceCIDR that is ready gives its addresses; one that is not, or goes, does not.
func TestServicesHaveAddressesOfEveryReadyServiceCIDR(t *testing.T) {
	w := newWorld(t)
	w.namespace("work")
	service := func(name, ip string) answer {
		return w.do("", http.MethodPost, "/api/v1/namespaces/work/services", `{apiVersion: v1, kind: Service, metadata: {name: `+name+`}, spec: {clusterIP: "`+ip+`", ports: [{port: 80}]}}`)
	}
	const none, path = "the provided network does not match the current range", "/apis/networking.k8s.io/v1/servicecidrs"
	refused := func(why, name, ip, words string) {
		t.Helper()
		if a := service(name, ip); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.status().Message, words) {
			t.Errorf("%s: %d %s", why, a.Code, a.Body)
		}
	}
	w.shown(http.MethodPost, path, asYAML, `{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: more, finalizers: [a.b/c]}, spec: {cidrs: [10.250.0.0/24]}}`)
	refused("not ready yet", "a", "10.250.0.7", none)
	w.shown(http.MethodPatch, path+"/more/status?fieldManager=m", asApply, `{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: more}, status: {conditions: [
		{type: Ready, status: "True", reason: "", message: ready, lastTransitionTime: "2026-01-01T00:00:00Z"}]}}`)
	if a := service("a", "10.250.0.7"); a.Code != http.StatusCreated {
		t.Fatalf("ready: %d %s", a.Code, a.Body)
	}
	w.shown(http.MethodGet, "/apis/networking.k8s.io/v1/ipaddresses/10.250.0.7", "", "")
	refused("taken", "b", "10.250.0.7", "provided IP is already allocated")
	refused("the network's own", "b", "10.250.0.0", none)
	refused("its broadcast", "b", "10.250.0.255", none)
	w.shown(http.MethodDelete, path+"/more", "", "")
	refused("going", "b", "10.250.0.9", none)
	w.shown(http.MethodDelete, path+"/kubernetes", "", "")
	if a := service("b", ""); a.Code != http.StatusCreated {
		t.Errorf("the ServiceCIDR is gone, nothing held it: %d %s", a.Code, a.Body)
	}
}

// TCP and UDP of one port share a node port, if none is asked for; two ports never do.
func TestNodePortsOfANewService(t *testing.T) {
	w := newWorld(t)
	w.namespace("work")
	ports := func(name, list string) []any {
		a := w.do("", http.MethodPost, "/api/v1/namespaces/work/services", `{apiVersion: v1, kind: Service, metadata: {name: `+name+`}, spec: {type: NodePort, ports: [`+list+`]}}`)
		if a.Code != http.StatusCreated {
			return []any{a.status().Message}
		}
		var numbers []any
		for _, p := range a.object(t).Object["spec"].(map[string]any)["ports"].([]any) {
			numbers = append(numbers, p.(map[string]any)["nodePort"])
		}
		return numbers
	}
	if n := ports("a", "{name: t, port: 53}, {name: u, port: 53, protocol: UDP}"); len(n) != 2 || n[0] != n[1] || n[0] == nil {
		t.Errorf("TCP and UDP have %v", n)
	}
	if n := ports("b", "{name: t, port: 53}, {name: u, port: 53, protocol: UDP, nodePort: 31702}"); len(n) != 2 || n[0] != n[1] {
		t.Errorf("TCP takes that of UDP: %v", n)
	}
	if n := ports("c", "{name: t, port: 1, nodePort: 31705}, {name: u, port: 2, protocol: UDP, nodePort: 31705}"); len(n) != 1 || !strings.Contains(n[0].(string), "spec.ports[1].nodePort: Invalid value: 31705: provided port is already allocated") {
		t.Errorf("one node port for two ports: %v", n)
	}
}
