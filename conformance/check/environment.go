package check

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// identity is what stays the same as long as a name leads to the same cluster: its version, and the UID of the namespace that no cluster lives
// without.
func identity(ctx context.Context, api kubernetes.Interface) (version, uid string, err error) {
	info, err := api.Discovery().ServerVersion()
	if err != nil {
		return "", "", err
	}
	system, err := api.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return info.GitVersion, "", err
	}
	return info.GitVersion, string(system.UID), nil
}

// environment describes the target and this machine. What the API does not tell is left empty: not to answer is for the specs to find.
func environment(ctx context.Context, c cluster.Cluster, api kubernetes.Interface, version string) record.Environment {
	e := record.Environment{
		Target:  record.Target{Name: c.Name()},
		Harness: record.Harness{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Memory: memory()},
	}
	e.Target.Kubernetes, e.Target.UID, _ = identity(ctx, api) // an empty UID makes the run inconclusive in the end
	described := map[string]record.Node{}
	if nodes, err := api.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err == nil {
		for _, n := range nodes.Items {
			i := n.Status.NodeInfo
			described[n.Name] = record.Node{Kubelet: i.KubeletVersion, OS: i.OSImage, Kernel: i.KernelVersion, Runtime: i.ContainerRuntimeVersion, Architecture: i.Architecture}
		}
	}
	e.Nodes = []record.Node{}
	for _, n := range c.Nodes() {
		d := described[n.Name]
		d.Name, d.Role = n.Name, n.Role
		e.Nodes = append(e.Nodes, d)
	}
	return e
}

// memory of this machine in bytes, 0 where Linux does not tell.
func memory() int64 {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int64
		if _, err := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

// answerTime is how long a target may take to say who it is: it may be recovering from the last fault.
const answerTime = 30 * time.Second

// changed compares the target with what it was at the start and tells what makes the run doubtful: nil when it is the same.
func changed(ctx context.Context, api kubernetes.Interface, was record.Target) []verdict.Doubt {
	if was.UID == "" {
		return []verdict.Doubt{{Text: "the target did not tell who it is when the run began (its version, and namespace kube-system)"}}
	}
	version, uid, err := recognised(ctx, api)
	switch {
	case err != nil:
		return []verdict.Doubt{{Text: "the target was lost: " + strings.ReplaceAll(err.Error(), "\n", " ")}}
	case uid != was.UID:
		return []verdict.Doubt{{Outranks: true, Text: fmt.Sprintf("the target changed under the run, from cluster %s to %s (UIDs of namespace kube-system)", was.UID, uid)}}
	case version != was.Kubernetes:
		return []verdict.Doubt{{Outranks: true, Text: fmt.Sprintf("the target changed under the run, from Kubernetes %s to %s", was.Kubernetes, version)}}
	}
	return nil
}

// recognised asks for the identity until it is told.
func recognised(ctx context.Context, api kubernetes.Interface) (version, uid string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	tick := time.NewTicker(answerTime / 30)
	defer tick.Stop()
	for {
		if version, uid, err = identity(ctx, api); err == nil {
			return version, uid, nil
		}
		select {
		case <-ctx.Done():
			return "", "", err
		case <-tick.C:
		}
	}
}
