package addons

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api/apitest"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/roster"
)

func TestManifestsCarryTheDescription(t *testing.T) {
	made, err := objects(&description.Cluster{ClusterDomain: "example.org", ClusterDNS: "10.7.0.10"})
	if err != nil {
		t.Fatal(err)
	}
	byCollection := map[string]api.Object{}
	for _, o := range made {
		byCollection[o.collection] = o.body
	}
	service := byCollection["/api/v1/namespaces/kube-system/services"]
	if ip := service["spec"].(api.Object)["clusterIP"]; ip != "10.7.0.10" {
		t.Errorf("kube-dns has address %v", ip)
	}
	corefile := byCollection["/api/v1/namespaces/kube-system/configmaps"]["data"].(api.Object)["Corefile"].(string)
	if !strings.Contains(corefile, "kubernetes example.org in-addr.arpa") {
		t.Errorf("Corefile: %s", corefile)
	}
	if byCollection["/apis/apps/v1/namespaces/kube-system/deployments"] == nil {
		t.Error("there is no Deployment")
	}
}

// TestEveryControlPlaneComesToAnEnd: of several control planes one makes the Service; to the others its address is taken, not its name.
func TestEveryControlPlaneComesToAnEnd(t *testing.T) {
	var mu sync.Mutex
	there, posted := map[string]bool{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		path := r.URL.Path
		if r.Method == http.MethodPost {
			var o struct{ Metadata struct{ Name string } }
			_ = json.NewDecoder(r.Body).Decode(&o)
			posted, path = posted+1, path+"/"+o.Metadata.Name
			if there[path] && strings.HasSuffix(r.URL.Path, "/services") {
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			there[path] = true
		}
		if !there[path] {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	client := apitest.Client(t, server.URL)
	described := &description.Cluster{ClusterDomain: "example.org", ClusterDNS: "10.7.0.10"}
	all, err := objects(described)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for controlPlane := range 3 {
		applied := false
		if err := Apply(ctx, client, described, slog.New(slog.DiscardHandler), func() { applied = true }); err != nil {
			t.Fatal(err)
		}
		if !applied {
			t.Fatalf("control plane %d was still at it after 20 s", controlPlane)
		}
	}
	if posted != len(all) {
		t.Errorf("%d objects were posted, want each of %d once", posted, len(all))
	}
}

func TestMarkPatch(t *testing.T) {
	taint := map[string]any{"key": roster.ControlPlaneLabel, "effect": "NoSchedule"}
	other := map[string]any{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
	with := func(labels map[string]string, taints ...map[string]any) registered {
		n := registered{}
		n.Metadata.ResourceVersion, n.Metadata.Labels, n.Spec.Taints = "7", labels, taints
		return n
	}
	marked := map[string]string{roster.ControlPlaneLabel: ""}
	for _, row := range []struct {
		name   string
		role   string
		labels map[string]string
		node   registered
		// labels and taints of the patch; nil labels: no patch
		wantLabels api.Object
		wantTaints []map[string]any
	}{
		{"new control plane keeps its other taints", description.ControlPlane, nil, with(nil, other), api.Object{roster.ControlPlaneLabel: ""}, []map[string]any{other, taint}},
		{"registered with the taint", description.ControlPlane, nil, with(nil, taint), api.Object{roster.ControlPlaneLabel: ""}, nil},
		{"taint that someone took away stays away", description.ControlPlane, nil, with(marked), nil, nil},
		{"worker without labels", description.Worker, nil, with(nil), nil, nil},
		{"worker with a label", description.Worker, map[string]string{"zone": "a"}, with(nil), api.Object{"zone": "a"}, nil},
		{"worker that has it", description.Worker, map[string]string{"zone": "a"}, with(map[string]string{"zone": "a"}), nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			patch := markPatch(description.Node{Role: row.role, Labels: row.labels}, row.node)
			if row.wantLabels == nil {
				if patch != nil {
					t.Fatalf("unwanted patch %v", patch)
				}
				return
			}
			want := api.Object{"metadata": api.Object{"labels": row.wantLabels, "resourceVersion": "7"}}
			if row.wantTaints != nil {
				want["spec"] = api.Object{"taints": row.wantTaints}
			}
			if !reflect.DeepEqual(patch, want) {
				t.Errorf("got %v, want %v", patch, want)
			}
		})
	}
}
