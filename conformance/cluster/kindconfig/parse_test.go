package kindconfig

import (
	"strings"
	"testing"
)

const header = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"

func TestParseRefusesWithFileLineAndField(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"empty file":        {"", "f.yaml:1: the file is empty"},
		"not a cluster":     {"kind: Pod\napiVersion: v1\n", `f.yaml:1: kind: must be Cluster, not "Pod"`},
		"unknown field":     {header + "nodes:\n- role: worker\n  memory: 4\n", "f.yaml:5: field memory is not supported in node"},
		"unknown role":      {header + "nodes:\n- role: boss\n", `f.yaml:4: nodes.0.role: must be control-plane or worker, not "boss"`},
		"no control plane":  {header + "nodes:\n- role: worker\n", "f.yaml:4: nodes: at least one node"},
		"bad subnet":        {header + "networking:\n  podSubnet: ten\n", `f.yaml:4: networking.podSubnet: "ten" is not an IPv4 subnet`},
		"ipv6":              {header + "networking:\n  ipFamily: ipv6\n", "f.yaml:4: networking.ipFamily: must be ipv4"},
		"iptables":          {header + "networking:\n  kubeProxyMode: iptables\n", "f.yaml:4: networking.kubeProxyMode: must be nftables"},
		"patch of a kind":   {header + "kubeadmConfigPatches:\n- |\n  kind: InitConfiguration\n", "kubeadmConfigPatches.0: kind \"InitConfiguration\" is not supported"},
		"broken yaml":       {header + "nodes: [\n", "f.yaml:"},
		"feature gates":     {header + "featureGates: {X: true}\n", "f.yaml:3: field featureGates is not supported in cluster"},
		"patch of a volume": {header + "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  apiServer: {extraVolumes: []}\n", "field extraVolumes is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(row.text))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got %v, want an error containing %q", err, row.want)
			}
		})
	}
}

func TestParseFillsKindsDefaults(t *testing.T) {
	c, err := Parse("f.yaml", []byte(header+"nodes:\n- role: control-plane\n- role: worker\nkubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  apiServer: {extraArgs: {v: 4}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "plumb" || c.Networking.ServiceSubnet != "10.96.0.0/16" || c.Patches.ExtraArgs["kube-apiserver"]["v"] != "4" {
		t.Fatalf("unexpected defaults: %+v", c)
	}
	if cps, workers := c.Roles(); cps != 1 || workers != 1 {
		t.Fatalf("roles: %d %d", cps, workers)
	}
}
