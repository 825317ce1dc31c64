package roster

import (
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// etcd is this node's member. Heartbeat and election are short: members are on one bridge, and a lost leader is noticed in half a second.
func etcd(c *description.Cluster, me description.Node) Entry {
	var members []string
	for _, n := range c.ControlPlanes() {
		members = append(members, fmt.Sprintf("%s=https://%s:2380", n.Name, n.Address))
	}
	return Entry{
		Name: "etcd", Executable: control,
		Args: flags(map[string]string{
			"name":                        me.Name,
			"data-dir":                    "/var/lib/etcd/member",
			"listen-client-urls":          fmt.Sprintf("https://127.0.0.1:2379,https://%s:2379", me.Address),
			"advertise-client-urls":       fmt.Sprintf("https://%s:2379", me.Address),
			"listen-peer-urls":            fmt.Sprintf("https://%s:2380", me.Address),
			"initial-advertise-peer-urls": fmt.Sprintf("https://%s:2380", me.Address),
			"initial-cluster":             strings.Join(members, ","),
			"initial-cluster-state":       "new",
			"listen-metrics-urls":         "http://127.0.0.1:2381", // as kubeadm's: who leads is read there
			"initial-cluster-token":       c.Name,
			"heartbeat-interval":          "50",
			"election-timeout":            "500",
			"cert-file":                   pkiDir + "etcd/server.crt",
			"key-file":                    pkiDir + "etcd/server.key",
			"trusted-ca-file":             pkiDir + "etcd/ca.crt",
			"client-cert-auth":            "true",
			"peer-cert-file":              pkiDir + "etcd/peer.crt",
			"peer-key-file":               pkiDir + "etcd/peer.key",
			"peer-trusted-ca-file":        pkiDir + "etcd/ca.crt",
			"peer-client-cert-auth":       "true",
		}),
		Ready: Probe{URL: "https://127.0.0.1:2379/health", CA: pkiDir + "etcd/ca.crt", Cert: pkiDir + "apiserver-etcd-client.crt", Key: pkiDir + "apiserver-etcd-client.key"},
	}
}

// apiserver uses this node's etcd member only: when that is gone it is not ready, and balancers turn to the others.
func apiserver(c *description.Cluster, me description.Node) Entry {
	return Entry{
		Name: "kube-apiserver", Executable: control,
		Args: flags(map[string]string{
			"advertise-address":                  me.Address,
			"secure-port":                        fmt.Sprint(description.APIPort),
			"etcd-servers":                       "https://127.0.0.1:2379",
			"etcd-cafile":                        pkiDir + "etcd/ca.crt",
			"etcd-certfile":                      pkiDir + "apiserver-etcd-client.crt",
			"etcd-keyfile":                       pkiDir + "apiserver-etcd-client.key",
			"client-ca-file":                     pkiDir + "ca.crt",
			"tls-cert-file":                      pkiDir + "apiserver.crt",
			"tls-private-key-file":               pkiDir + "apiserver.key",
			"service-account-issuer":             "https://kubernetes.default.svc." + c.ClusterDomain,
			"service-account-key-file":           pkiDir + "sa.pub",
			"service-account-signing-key-file":   pkiDir + "sa.key",
			"service-cluster-ip-range":           c.ServiceSubnet,
			"authorization-mode":                 "Node,RBAC",
			"enable-admission-plugins":           "NodeRestriction",
			"enable-bootstrap-token-auth":        "true",
			"allow-privileged":                   "true",
			"kubelet-certificate-authority":      pkiDir + "ca.crt",
			"kubelet-client-certificate":         pkiDir + "apiserver-kubelet-client.crt",
			"kubelet-client-key":                 pkiDir + "apiserver-kubelet-client.key",
			"kubelet-preferred-address-types":    "InternalIP",
			"proxy-client-cert-file":             pkiDir + "front-proxy-client.crt",
			"proxy-client-key-file":              pkiDir + "front-proxy-client.key",
			"requestheader-client-ca-file":       pkiDir + "front-proxy-ca.crt",
			"requestheader-allowed-names":        "front-proxy-client",
			"requestheader-extra-headers-prefix": "X-Remote-Extra-",
			"requestheader-group-headers":        "X-Remote-Group",
			"requestheader-username-headers":     "X-Remote-User",
		}),
		Ready: Probe{URL: fmt.Sprintf("https://127.0.0.1:%d/readyz", description.APIPort), CA: pkiDir + "ca.crt"},
	}
}

// election are the settings with which the successor of a leader whose node died stands in two and a half seconds, so that a new Deployment has its
// pod placed in three; that of one whose process died stands at once, because the supervisor releases its Lease. Leases of two seconds are too short: on a machine
// with thirty times the load that it can carry they were lost every few seconds, and no controller remembered long enough that a node was silent.
var election = []string{"--leader-elect=true", "--leader-elect-lease-duration=2500ms", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=400ms"}

// delegated are the flags by which stock's components let the apiserver judge who may ask them.
func delegated(kubeconfig string) map[string]string {
	return map[string]string{
		"kubeconfig":                   kubeconfig,
		"authentication-kubeconfig":    kubeconfig,
		"authorization-kubeconfig":     kubeconfig,
		"client-ca-file":               pkiDir + "ca.crt",
		"requestheader-client-ca-file": pkiDir + "front-proxy-ca.crt",
		"bind-address":                 "127.0.0.1",
	}
}

func controllerManager(c *description.Cluster) Entry {
	args := delegated(pkiDir + "controller-manager.conf")
	for name, value := range map[string]string{
		"allocate-node-cidrs":              "true",
		"cluster-cidr":                     c.PodSubnet,
		"service-cluster-ip-range":         c.ServiceSubnet,
		"cluster-name":                     c.Name,
		"cluster-signing-cert-file":        pkiDir + "ca.crt",
		"cluster-signing-key-file":         pkiDir + "ca.key",
		"root-ca-file":                     pkiDir + "ca.crt",
		"service-account-private-key-file": pkiDir + "sa.key",
		"use-service-account-credentials":  "true",
	} {
		args[name] = value
	}
	return Entry{
		Name: "kube-controller-manager", Executable: control, Args: append(flags(args), election...),
		Ready: Probe{URL: "https://127.0.0.1:10257/healthz"},
	}
}

func scheduler() Entry {
	return Entry{
		Name: "kube-scheduler", Executable: control, Args: append(flags(delegated(pkiDir+"scheduler.conf")), election...),
		Ready: Probe{URL: "https://127.0.0.1:10259/healthz"},
	}
}
