package node

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareMeasures() {
	It("tells what it, its pods and their containers use", Label("NODE-029"), func(ctx SpecContext) {
		s := scene.New(ctx)
		pod := podOf(s, "measured", s.EchoSpec().Containers[0])
		pod.Spec.Containers[0].VolumeMounts = shared()
		node := s.Run(ctx, pod).Spec.NodeName
		fill(ctx, s, "measured", "/shared/file", 1024)
		Eventually(ctx, func(ctx context.Context) error { return summarised(ctx, s, node, "measured") }).
			WithTimeout(budget.UseNoticed.Limit()).WithPolling(target.Poll).Should(Succeed())
		shows := func(path, metric string, labels ...string) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) error {
				text, err := s.AskNode(ctx, node, path)
				if err != nil {
					return err
				}
				return sampled(text, metric, labels...)
			}).WithTimeout(budget.UseNoticed.Limit()).WithPolling(target.Poll).Should(Succeed(), "/%s", path)
		}
		who := []string{`namespace="` + s.Namespace + `"`, `pod="measured"`}
		container := append([]string{`container="echo"`}, who...)
		for _, path := range []string{"metrics/resource", "metrics/cadvisor"} {
			shows(path, "container_cpu_usage_seconds_total", container...)
			shows(path, "container_memory_working_set_bytes", container...)
		}
		shows("metrics/resource", "pod_memory_working_set_bytes", who...)
		shows("metrics/resource", "node_cpu_usage_seconds_total")
		shows("metrics/cadvisor", "container_network_receive_bytes_total", who...)
		shows("metrics/probes", "prober_probe_total", append([]string{`probe_type="Readiness"`, `result="successful"`}, container...)...)
	})
}

// used is a part of a summary: each of its numbers has to be there, and above zero.
type used struct {
	CPU    struct{ UsageCoreNanoSeconds uint64 }
	Memory struct{ WorkingSetBytes uint64 }
}

func (u used) nothing() bool { return u.CPU.UsageCoreNanoSeconds == 0 || u.Memory.WorkingSetBytes == 0 }

type disk struct{ CapacityBytes, AvailableBytes, UsedBytes uint64 }

// summary is /stats/summary, as far as it is looked at.
type summary struct {
	Node struct {
		used
		NodeName string
		Fs       disk
		Runtime  struct{ ImageFs disk }
	}
	Pods []struct {
		used
		PodRef     struct{ Name, Namespace string }
		Containers []struct {
			used
			Name string
		}
		Volume []struct {
			Name      string
			UsedBytes uint64
		}
		EphemeralStorage disk `json:"ephemeral-storage"`
	}
}

// summarised looks for what a node should say of itself and of a pod that keeps a MiB in a volume.
func summarised(ctx context.Context, s *scene.Scene, node, pod string) error {
	text, err := s.AskNode(ctx, node, "stats/summary")
	if err != nil {
		return err
	}
	var all summary
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return err
	}
	if n := all.Node; n.nothing() || n.NodeName != node || n.Fs.CapacityBytes == 0 || n.Runtime.ImageFs.CapacityBytes == 0 {
		return fmt.Errorf("of node %s the summary says %+v", node, n)
	}
	for _, p := range all.Pods {
		if p.PodRef.Name != pod || p.PodRef.Namespace != s.Namespace {
			continue
		}
		const mib = 1 << 20
		if p.nothing() || len(p.Containers) != 1 || p.Containers[0].Name != "echo" || p.Containers[0].nothing() || p.EphemeralStorage.UsedBytes < mib {
			return fmt.Errorf("of pod %s the summary says %+v", pod, p)
		}
		for _, v := range p.Volume {
			if v.Name == "shared" && v.UsedBytes >= mib {
				return nil
			}
		}
		return fmt.Errorf("of the volumes of pod %s the summary says %+v", pod, p.Volume)
	}
	return fmt.Errorf("the summary of %s does not know pod %s", node, pod)
}

// sampled looks for a sample above zero of a metric with these labels in Prometheus' text format.
func sampled(text, metric string, labels ...string) error {
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, "{")
		if len(labels) == 0 {
			name, rest, _ = strings.Cut(line, " ")
			rest = "} " + rest
		}
		end := strings.LastIndex(rest, "}")
		if name != metric || end < 0 || !holds(rest[:end], labels) {
			continue
		}
		var value float64
		if _, err := fmt.Sscan(rest[end+1:], &value); err == nil && value > 0 {
			return nil
		}
	}
	return fmt.Errorf("no sample above zero of %s with %v", metric, labels)
}

func holds(text string, all []string) bool {
	for _, one := range all {
		if !strings.Contains(text, one) {
			return false
		}
	}
	return true
}
