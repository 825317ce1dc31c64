package description

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const valid = `{"name": "c", "self": "w", "nodes": [
 {"name": "cp", "role": "control-plane", "address": "172.30.0.10"}, {"name": "w", "role": "worker", "address": "172.30.0.11"}],
 "podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/16", "clusterDomain": "cluster.local", "clusterDNS": "10.96.0.10",
 "balancer": {"address": "172.30.0.2", "port": 6443}}`

func TestLoad(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"valid", "", "", ""},
		{"unknown self", `"self": "w"`, `"self": "x"`, `no node is named "x"`},
		{"name that is a path", `"name": "cp"`, `"name": "../cp"`, "nodes[0].name"},
		{"two of a name", `"name": "w", "role"`, `"name": "cp", "role"`, "cp is there twice"},
		{"role", `"worker"`, `"master"`, "nodes[1].role"},
		{"no control plane", `"control-plane"`, `"worker"`, "none is a control-plane"},
		{"address", "172.30.0.11", "172.30.0.300", "nodes[1].address"},
		{"subnet", "10.96.0.0/16", "10.96.0.0", "serviceSubnet"},
		{"port", "6443", "0", "balancer.port"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cluster.json")
			if err := os.WriteFile(path, []byte(strings.Replace(valid, row.old, row.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Load(path)
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Fatalf("got %v, want %q", err, row.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if me, ok := c.Me(); !ok || me.Address != "172.30.0.11" || c.ServiceIP().String() != "10.96.0.1" {
				t.Errorf("I am %v; the first Service is %v", me, c.ServiceIP())
			}
		})
	}
}
