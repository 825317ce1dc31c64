package roster

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	"github.com/plumb-k8s/plumb/orchestrator/pki"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// ControlPlaneLabel marks control planes, as label and as taint.
const ControlPlaneLabel = "node-role.kubernetes.io/control-plane"

// Balancer is what clients that can do nothing without an apiserver come after: started earlier, their watches fail, and back off for
// seconds beyond the moment at which the apiserver is ready.
const Balancer = "balancer"

// balancer is the way of this node's components to whichever apiserver is ready; it is ready itself when one answers.
func balancer(c *description.Cluster) Entry {
	args := []string{"--listen=" + pki.LocalAPI, "--ca=" + pkiDir + "ca.crt"}
	for _, n := range c.ControlPlanes() {
		args = append(args, "--backend="+net.JoinHostPort(n.Address, strconv.Itoa(description.APIPort)))
	}
	return Entry{Name: Balancer, Executable: node, Args: args, Ready: Probe{URL: "https://" + pki.LocalAPI + "/readyz", CA: pkiDir + "ca.crt"}}
}

func kubelet(c *description.Cluster, me description.Node) (Entry, error) {
	const file = "/etc/plumb/kubelet.json"
	config := map[string]any{
		"apiVersion":               "kubelet.config.k8s.io/v1beta1",
		"kind":                     "KubeletConfiguration",
		"failCgroupV1":             false,
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/",
		"containerRuntimeEndpoint": "unix://" + Containerd,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": pkiDir + "ca.crt"},
		},
		"authorization":     map[string]any{"mode": "Webhook"},
		"tlsCertFile":       pkiDir + "kubelet.crt",
		"tlsPrivateKeyFile": pkiDir + "kubelet.key",
		"clusterDomain":     c.ClusterDomain,
		"clusterDNS":        []string{c.ClusterDNS},
		"staticPodPath":     "/etc/kubernetes/manifests",
		// The nodes of a cluster share one machine's disk and memory: percentages of it say nothing about a node.
		"evictionHard":                map[string]any{"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
		"imageGCHighThresholdPercent": 100,
		"enforceNodeAllocatable":      []string{},
		"serializeImagePulls":         false,
		"failSwapOn":                  false,
	}
	if me.Role == description.ControlPlane {
		config["registerWithTaints"] = []any{map[string]any{"key": ControlPlaneLabel, "effect": "NoSchedule"}}
	}
	data, err := merged(config, c.KubeletConfiguration)
	return Entry{
		Name: "kubelet", Executable: node,
		Args:  []string{"--kubeconfig=" + pkiDir + "kubelet.conf", "--config=" + file, "--hostname-override=" + me.Name, "--node-ip=" + me.Address},
		Files: map[string][]byte{file: data},
		Ready: Probe{URL: "http://127.0.0.1:10248/healthz"},
		After: "containerd",
	}, err
}

func proxy(c *description.Cluster, me description.Node) (Entry, error) {
	const file = "/etc/plumb/kube-proxy.json"
	data, err := merged(map[string]any{
		"apiVersion":       "kubeproxy.config.k8s.io/v1alpha1",
		"kind":             "KubeProxyConfiguration",
		"mode":             "nftables",
		"clusterCIDR":      c.PodSubnet,
		"hostnameOverride": me.Name,
		"clientConnection": map[string]any{"kubeconfig": pkiDir + "kube-proxy.conf"},
		// The connection table belongs to the whole machine: a node must not resize it.
		"conntrack": map[string]any{"maxPerCore": 0, "min": 0},
	}, c.KubeProxyConfiguration)
	return Entry{
		Name: "kube-proxy", Executable: node, Args: []string{"--config=" + file},
		Files: map[string][]byte{file: data}, Ready: Probe{URL: "http://127.0.0.1:10256/livez"},
		After: Balancer,
	}, err
}

// podNetwork routes to the other nodes' pods; it uses the proxy's identity, which may list nodes.
func podNetwork(me description.Node) Entry {
	return Entry{
		Name: "podnetwork", Executable: node, Args: []string{"--kubeconfig=" + pkiDir + "kube-proxy.conf", "--hostname-override=" + me.Name},
		After: Balancer,
	}
}

// merged writes base with the description's fields put over it, objects field by field. JSON is YAML, which components read.
func merged(base, over map[string]any) ([]byte, error) {
	data, err := json.MarshalIndent(merge(base, over), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write %v: %w", base["kind"], err)
	}
	return data, nil
}

func merge(base, over map[string]any) map[string]any {
	for name, value := range over {
		inner, isObject := value.(map[string]any)
		if below, ok := base[name].(map[string]any); ok && isObject {
			base[name] = merge(below, inner)
			continue
		}
		base[name] = value
	}
	return base
}
