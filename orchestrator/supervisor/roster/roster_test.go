package roster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

func cluster(self string) *description.Cluster {
	return &description.Cluster{
		Name: "c", Self: self,
		Nodes: []description.Node{
			{Name: "cp", Role: description.ControlPlane, Address: "172.30.0.10"},
			{Name: "cp2", Role: description.ControlPlane, Address: "172.30.0.11"},
			{Name: "w", Role: description.Worker, Address: "172.30.0.12"},
		},
		PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/16", ClusterDomain: "cluster.local", ClusterDNS: "10.96.0.10",
		Balancer:        description.Balancer{Address: "172.30.0.2", Port: 6443},
		RegistryMirrors: map[string]string{"docker.io": "http://172.30.0.3:5000"},
	}
}

func of(t *testing.T, c *description.Cluster, overridden ...string) map[string]Entry {
	t.Helper()
	entries, err := Of(c, Facts{Overridden: func(path string) bool { return slices.Contains(overridden, path) }})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Entry{}
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName
}

func TestRolesDecideWhatRuns(t *testing.T) {
	everywhere := []string{"balancer", "containerd", "kube-proxy", "kubelet", "podnetwork"}
	control := []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
	for _, row := range []struct {
		self string
		want []string
	}{{"w", everywhere}, {"cp", append(control, everywhere...)}} {
		t.Run(row.self, func(t *testing.T) {
			var got []string
			for name := range of(t, cluster(row.self)) {
				got = append(got, name)
			}
			slices.Sort(got)
			slices.Sort(row.want)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestAnOverrideChangesTheExecutableAndNothingElse(t *testing.T) {
	plain, swapped := of(t, cluster("cp")), of(t, cluster("cp"), "/opt/plumb/override/kube-scheduler", "/opt/plumb/override/containerd")
	for name, was := range plain {
		is := swapped[name]
		if changed := is.Executable != was.Executable; changed != (name == "kube-scheduler") {
			t.Errorf("%s runs %s", name, is.Executable)
		}
		if !slices.Equal(is.Args, was.Args) {
			t.Errorf("%s has other arguments: %v", name, is.Args)
		}
	}
}

func TestExtraArgumentsComeLast(t *testing.T) {
	c := cluster("cp")
	c.ExtraArgs = map[string]map[string]string{"etcd": {"heartbeat-interval": "100", "v": "4"}}
	args := of(t, c)["etcd"].Args
	if tail := args[len(args)-2:]; !slices.Equal(tail, []string{"--heartbeat-interval=100", "--v=4"}) {
		t.Errorf("the last arguments are %v", tail)
	}
}

func TestEveryMemberIsInTheInitialCluster(t *testing.T) {
	want := "--initial-cluster=cp=https://172.30.0.10:2380,cp2=https://172.30.0.11:2380"
	if args := of(t, cluster("cp2"))["etcd"].Args; !slices.Contains(args, want) {
		t.Errorf("%s is not in %v", want, args)
	}
}

func TestComponentConfigs(t *testing.T) {
	c := cluster("cp")
	c.KubeletConfiguration = map[string]any{"maxPods": 20, "evictionHard": map[string]any{"memory.available": "50Mi"}}
	c.KubeProxyConfiguration = map[string]any{"nftables": map[string]any{"syncPeriod": "5s"}}
	parse := func(entry string) map[string]any {
		for _, data := range of(t, c)[entry].Files {
			var config map[string]any
			if err := json.Unmarshal(data, &config); err != nil {
				t.Fatal(err)
			}
			return config
		}
		t.Fatalf("%s has no file", entry)
		return nil
	}
	kubelet := parse("kubelet")
	hard := kubelet["evictionHard"].(map[string]any)
	if kubelet["maxPods"] != 20.0 || hard["memory.available"] != "50Mi" || hard["nodefs.available"] != "1%" {
		t.Errorf("the description is not merged field by field: %v", kubelet)
	}
	if kubelet["registerWithTaints"] == nil {
		t.Error("a control plane registers without its taint")
	}
	if proxy := parse("kube-proxy"); proxy["mode"] != "nftables" || proxy["nftables"] == nil {
		t.Errorf("kube-proxy: %v", proxy)
	}
}

func TestContainerdConfig(t *testing.T) {
	for _, row := range []struct {
		name string
		may  bool
		want string
	}{
		{"without CAP_SYS_RESOURCE", false, "restrict_oom_score_adj = true"},
		{"with it", true, "restrict_oom_score_adj = false"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := containerd(cluster("w"), Facts{MayRaisePriority: row.may})
			if text := string(e.Files["/etc/containerd/config.toml"]); !strings.Contains(text, row.want) {
				t.Errorf("%q is not in %s", row.want, text)
			}
			if _, ok := e.Files["/etc/containerd/certs.d/docker.io/hosts.toml"]; !ok {
				t.Error("no mirror of docker.io")
			}
		})
	}
}
