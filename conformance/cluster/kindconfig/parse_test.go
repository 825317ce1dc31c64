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
		"patch of a kind":   {header + "kubeadmConfigPatches:\n- |\n  kind: InitConfiguration\n", "kubeadmConfigPatches.0: kind: kind \"InitConfiguration\" is not supported"},
		"a second patch":    {header + "kubeadmConfigPatches:\n- |\n  kind: KubeletConfiguration\n- |\n  kind: KubeletConfiguration\n", "f.yaml:7: kubeadmConfigPatches.1: kind: a second KubeletConfiguration"},
		"a patch of nobody": {header + "kubeadmConfigPatches:\n- |\n  kind: KubeletConfiguration\n  maxPodz: 4\n", "f.yaml:6: kubeadmConfigPatches.0: maxPodz: there is no such field in KubeletConfiguration"},
		"a field deep down": {header + "kubeadmConfigPatches:\n- |\n  kind: KubeletConfiguration\n  authentication:\n    webhook: {on: true}\n", "kubeadmConfigPatches.0: authentication.webhook.on: there is no such field"},
		"a field of a type": {header + "kubeadmConfigPatches:\n- |\n  kind: KubeletConfiguration\n  # many\n  maxPods: many\n", "f.yaml:7: kubeadmConfigPatches.0: maxPods: must be of type int32, not string"},
		"a proxy's field":   {header + "kubeadmConfigPatches:\n- |\n  kind: KubeProxyConfiguration\n  modes: nftables\n", "f.yaml:6: kubeadmConfigPatches.0: modes: there is no such field in KubeProxyConfiguration"},
		"another version":   {header + "kubeadmConfigPatches:\n- |\n  kind: KubeletConfiguration\n  apiVersion: v1\n", `f.yaml:6: kubeadmConfigPatches.0: apiVersion: must be kubelet.config.k8s.io/v1beta1, not "v1"`},
		"a patch of a word": {header + "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  apiServer: 3\n", "f.yaml:6: kubeadmConfigPatches.0: apiServer: must hold extraArgs, not be 3"},
		"etcd of a word":    {header + "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  etcd: {local: x}\n", "f.yaml:6: kubeadmConfigPatches.0: etcd.local: must hold extraArgs, not be x"},
		"a flag of flags":   {header + "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  scheduler: {extraArgs: {v: {a: 1}}}\n", "f.yaml:6: kubeadmConfigPatches.0: scheduler.extraArgs.v: the value of a flag"},
		"two documents":     {header + "---\n" + header, "f.yaml:4: a second document"},
		"a host to listen":  {header + "nodes:\n- extraPortMappings:\n  - {containerPort: 80, listenAddress: localhost}\n", `f.yaml:5: nodes.0.extraPortMappings.0.listenAddress: "localhost" is not an address`},
		"a protocol":        {header + "nodes:\n- extraPortMappings:\n  - {containerPort: 80, protocol: HTTP}\n", `f.yaml:5: nodes.0.extraPortMappings.0.protocol: must be one of TCP, UDP, SCTP, not "HTTP"`},
		"a port inside":     {header + "nodes:\n- extraPortMappings:\n  - containerPort: 0\n", "f.yaml:5: nodes.0.extraPortMappings.0.containerPort: 0 is no port"},
		"a port outside":    {header + "nodes:\n- extraPortMappings:\n  - containerPort: 80\n    hostPort: 70000\n", "f.yaml:6: nodes.0.extraPortMappings.0.hostPort: 70000 is no port"},
		"a port twice":      {header + "nodes:\n- extraPortMappings: [{containerPort: 80, hostPort: 81}]\n- extraPortMappings: [{containerPort: 80, hostPort: 81}]\n", "f.yaml:5: nodes.1.extraPortMappings.0.hostPort: 81 is taken by nodes.0.extraPortMappings.0"},
		"a mount of paths":  {header + "nodes:\n- extraMounts: [{hostPath: /x, containerPath: y}]\n", `f.yaml:4: nodes.0.extraMounts.0.containerPath: "y" is no absolute path`},
		"the API's port":    {header + "networking:\n  apiServerPort: 99999\n", "f.yaml:4: networking.apiServerPort: 99999 is no port"},
		"subnets overlap":   {header + "networking:\n  podSubnet: 10.96.0.0/12\n", "f.yaml:4: networking.podSubnet: the pods' 10.96.0.0/12 and the services' 10.96.0.0/16 overlap"},
		"few services":      {header + "networking:\n  serviceSubnet: 10.96.0.0/30\n", "f.yaml:4: networking.serviceSubnet: 10.96.0.0/30 is too small"},
		"few pods":          {header + "nodes: [{}, {role: worker}]\nnetworking:\n  podSubnet: 10.244.0.0/24\n", "f.yaml:5: networking.podSubnet: 10.244.0.0/24 is too small: each of 2 nodes"},
		"a number of words": {header + "networking:\n  apiServerPort: many\n", "f.yaml:4: cannot unmarshal"},
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
