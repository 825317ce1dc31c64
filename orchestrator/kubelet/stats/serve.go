package stats

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// Handlers by pattern.
func (r *Reader) Handlers() map[string]http.Handler {
	return map[string]http.Handler{"GET /stats/summary": http.HandlerFunc(r.summary), "GET /metrics/resource": http.HandlerFunc(r.resource)}
}

func (r *Reader) summary(w http.ResponseWriter, request *http.Request) {
	s, err := r.Summary(request.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	data, err := json.Marshal(s)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // a client that left needs no answer
}

// resource writes the metrics that metrics-server reads, in Prometheus' text format.
func (r *Reader) resource(w http.ResponseWriter, request *http.Request) {
	s, err := r.Summary(request.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var cpu, memory, podCPU, podMemory strings.Builder
	for _, p := range s.Pods {
		pod := fmt.Sprintf("namespace=%q,pod=%q", p.PodRef.Namespace, p.PodRef.Name)
		sample(&podCPU, &podMemory, "pod", pod, p.CPU, p.Memory)
		for _, c := range p.Containers {
			sample(&cpu, &memory, "container", fmt.Sprintf("container=%q,%s", c.Name, pod), c.CPU, c.Memory)
		}
	}
	var nodeCPU, nodeMemory strings.Builder
	sample(&nodeCPU, &nodeMemory, "node", "", s.Node.CPU, s.Node.Memory)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, family := range []struct {
		name, kind string
		samples    *strings.Builder
	}{
		{"container_cpu_usage_seconds_total", "counter", &cpu}, {"container_memory_working_set_bytes", "gauge", &memory},
		{"node_cpu_usage_seconds_total", "counter", &nodeCPU}, {"node_memory_working_set_bytes", "gauge", &nodeMemory},
		{"pod_cpu_usage_seconds_total", "counter", &podCPU}, {"pod_memory_working_set_bytes", "gauge", &podMemory},
	} {
		fmt.Fprintf(w, "# TYPE %s %s\n%s", family.name, family.kind, family.samples)
	}
	fmt.Fprint(w, "# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n")
}

func sample(cpu, memory *strings.Builder, what, labels string, c *statsv1.CPUStats, m *statsv1.MemoryStats) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	if c != nil && c.UsageCoreNanoSeconds != nil {
		fmt.Fprintf(cpu, "%s_cpu_usage_seconds_total%s %g %d\n", what, labels, float64(*c.UsageCoreNanoSeconds)/1e9, c.Time.UnixMilli())
	}
	if m != nil && m.WorkingSetBytes != nil {
		fmt.Fprintf(memory, "%s_memory_working_set_bytes%s %d %d\n", what, labels, *m.WorkingSetBytes, m.Time.UnixMilli())
	}
}
