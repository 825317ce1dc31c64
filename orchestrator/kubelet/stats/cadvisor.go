package stats

import (
	"runtime"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// cadvisor shows the measurement under the names and labels of cAdvisor, by which dashboards know them: a pod's own samples have an empty container,
// the machine's the id "/". What CRI does not measure is left out; an id is the runtime's, since the runtime owns the groups below it.
func cadvisor(m *measured) *text {
	t := &text{}
	machine := pairs("container", "", "id", "/", "image", "", "name", "", "namespace", "", "pod", "")
	t.cpuAndMemory(machine, m.summary.Node.CPU, m.summary.Node.Memory)
	if node := m.summary.Node.Memory; node.AvailableBytes != nil && node.WorkingSetBytes != nil {
		t.add("machine_memory_bytes", gauge, "", float64(*node.AvailableBytes+*node.WorkingSetBytes), time.Time{})
	}
	t.add("machine_cpu_cores", gauge, "", float64(runtime.NumCPU()), time.Time{})
	for i, p := range m.summary.Pods {
		raw := m.pods[i]
		of := []string{"namespace", p.PodRef.Namespace, "pod", p.PodRef.Name}
		labels := pairs(append([]string{"container", "", "id", raw.GetAttributes().GetId(), "image", "", "name", ""}, of...)...)
		t.cpuAndMemory(labels, p.CPU, p.Memory)
		t.network(raw, of)
		if p.ProcessStats != nil {
			t.whole("container_processes", gauge, labels, p.ProcessStats.ProcessCount, time.Time{})
		}
		for n, c := range p.Containers {
			id := raw.GetLinux().GetContainers()[n].GetAttributes().GetId()
			t.container(c, m.containers[id], pairs(append([]string{"container", c.Name, "id", id, "image", imageOf(m.containers[id]), "name", id}, of...)...))
		}
	}
	return t
}

func (t *text) container(c statsv1.ContainerStats, listed *runtimeapi.Container, labels string) {
	t.cpuAndMemory(labels, c.CPU, c.Memory)
	if c.Rootfs != nil {
		t.whole("container_fs_usage_bytes", gauge, labels, c.Rootfs.UsedBytes, c.Rootfs.Time.Time)
	}
	if listed != nil {
		t.add("container_start_time_seconds", gauge, labels, float64(listed.CreatedAt)/1e9, time.Time{})
	}
	if c.CPU != nil {
		t.add("container_last_seen", gauge, labels, float64(c.CPU.Time.Unix()), c.CPU.Time.Time)
	}
}

func imageOf(c *runtimeapi.Container) string {
	if image := c.GetImage().GetUserSpecifiedImage(); image != "" {
		return image
	}
	return c.GetImage().GetImage()
}

func (t *text) cpuAndMemory(labels string, c *statsv1.CPUStats, m *statsv1.MemoryStats) {
	if c != nil && c.UsageCoreNanoSeconds != nil {
		t.add("container_cpu_usage_seconds_total", counter, labels+`,cpu="total"`, float64(*c.UsageCoreNanoSeconds)/1e9, c.Time.Time)
	}
	if m == nil {
		return
	}
	t.whole("container_memory_working_set_bytes", gauge, labels, m.WorkingSetBytes, m.Time.Time)
	t.whole("container_memory_usage_bytes", gauge, labels, m.UsageBytes, m.Time.Time)
	t.whole("container_memory_rss", gauge, labels, m.RSSBytes, m.Time.Time)
	for kind, value := range map[string]*uint64{"pgfault": m.PageFaults, "pgmajfault": m.MajorPageFaults} {
		t.whole("container_memory_failures_total", counter, labels+`,failure_type="`+kind+`",scope="container"`, value, m.Time.Time)
	}
}

// network of a pod: its containers have none of their own.
func (t *text) network(raw *runtimeapi.PodSandboxStats, of []string) {
	n := raw.GetLinux().GetNetwork()
	at := time.Unix(0, n.GetTimestamp())
	shown := map[string]bool{}
	for _, i := range append([]*runtimeapi.NetworkInterfaceUsage{n.GetDefaultInterface()}, n.GetInterfaces()...) {
		if i == nil || shown[i.Name] {
			continue // some runtimes list the default one again
		}
		shown[i.Name] = true
		labels := pairs(append([]string{"id", raw.GetAttributes().GetId(), "image", "", "interface", i.Name, "name", ""}, of...)...)
		for name, value := range map[string]*runtimeapi.UInt64Value{
			"receive_bytes_total": i.RxBytes, "receive_errors_total": i.RxErrors, "transmit_bytes_total": i.TxBytes, "transmit_errors_total": i.TxErrors,
		} {
			if value != nil {
				t.add("container_network_"+name, counter, labels, float64(value.Value), at)
			}
		}
	}
}
