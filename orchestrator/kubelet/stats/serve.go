package stats

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// Handlers by pattern.
func (r *Reader) Handlers() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /stats/summary": http.HandlerFunc(r.summary), "GET /metrics/resource": r.metrics(resource), "GET /metrics/cadvisor": r.metrics(cadvisor),
	}
}

func (r *Reader) summary(w http.ResponseWriter, request *http.Request) {
	s, err := r.Summary(request.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if only, err := strconv.ParseBool(request.FormValue("only_cpu_and_memory")); err == nil && only {
		s = cpuAndMemory(s)
	}
	data, err := json.Marshal(s)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // a client that left needs no answer
}

// cpuAndMemory is the part of a summary that changes by the second.
func cpuAndMemory(s *statsv1.Summary) *statsv1.Summary {
	part := &statsv1.Summary{Node: statsv1.NodeStats{NodeName: s.Node.NodeName, StartTime: s.Node.StartTime, CPU: s.Node.CPU, Memory: s.Node.Memory}, Pods: []statsv1.PodStats{}}
	for _, p := range s.Pods {
		one := statsv1.PodStats{PodRef: p.PodRef, StartTime: p.StartTime, CPU: p.CPU, Memory: p.Memory, Containers: []statsv1.ContainerStats{}}
		for _, c := range p.Containers {
			one.Containers = append(one.Containers, statsv1.ContainerStats{Name: c.Name, StartTime: c.StartTime, CPU: c.CPU, Memory: c.Memory})
		}
		part.Pods = append(part.Pods, one)
	}
	return part
}

// metrics serves what a function makes of a measurement.
func (r *Reader) metrics(show func(*measured) *text) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		m, err := r.measure(request.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", contentType)
		show(m).write(w)
	})
}

// resource is what metrics-server reads.
func resource(m *measured) *text {
	t := &text{}
	for _, p := range m.summary.Pods {
		of := []string{"namespace", p.PodRef.Namespace, "pod", p.PodRef.Name}
		t.usage("pod", pairs(of...), p.CPU, p.Memory)
		for _, c := range p.Containers {
			labels := pairs(append([]string{"container", c.Name}, of...)...)
			t.usage("container", labels, c.CPU, c.Memory)
			if !c.StartTime.IsZero() {
				t.add("container_start_time_seconds", gauge, labels, float64(c.StartTime.UnixNano())/1e9, time.Time{})
			}
		}
	}
	t.usage("node", "", m.summary.Node.CPU, m.summary.Node.Memory)
	t.add("resource_scrape_error", gauge, "", 0, time.Time{})
	return t
}

func (t *text) usage(what, labels string, c *statsv1.CPUStats, m *statsv1.MemoryStats) {
	if c != nil && c.UsageCoreNanoSeconds != nil {
		t.add(what+"_cpu_usage_seconds_total", counter, labels, float64(*c.UsageCoreNanoSeconds)/1e9, c.Time.Time)
	}
	if m != nil {
		t.whole(what+"_memory_working_set_bytes", gauge, labels, m.WorkingSetBytes, m.Time.Time)
	}
}
