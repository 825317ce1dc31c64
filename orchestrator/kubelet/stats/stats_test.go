package stats

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	statsv1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// runtimeOf one pod with one container.
type runtimeOf struct{ images string }

func (runtimeOf) ListPodSandboxStats(context.Context, *runtimeapi.PodSandboxStatsFilter) ([]*runtimeapi.PodSandboxStats, error) {
	number := func(n uint64) *runtimeapi.UInt64Value { return &runtimeapi.UInt64Value{Value: n} }
	const at = 1_700_000_000_000_000_000
	use := func(seconds, bytes uint64) (*runtimeapi.CpuUsage, *runtimeapi.MemoryUsage) {
		return &runtimeapi.CpuUsage{Timestamp: at, UsageCoreNanoSeconds: number(seconds * 1e9)}, &runtimeapi.MemoryUsage{Timestamp: at, WorkingSetBytes: number(bytes), PageFaults: number(7)}
	}
	podCPU, podMemory := use(3, 300)
	cpu, memory := use(2, 200)
	return []*runtimeapi.PodSandboxStats{{
		Attributes: &runtimeapi.PodSandboxAttributes{Id: "sandbox", Metadata: &runtimeapi.PodSandboxMetadata{Name: "p", Namespace: "n", Uid: "u"}},
		Linux: &runtimeapi.LinuxPodSandboxStats{
			Cpu: podCPU, Memory: podMemory, Process: &runtimeapi.ProcessUsage{ProcessCount: number(2)},
			Network: &runtimeapi.NetworkUsage{Timestamp: at, DefaultInterface: &runtimeapi.NetworkInterfaceUsage{Name: "eth0", RxBytes: number(11), TxBytes: number(12)}},
			Containers: []*runtimeapi.ContainerStats{{
				Attributes: &runtimeapi.ContainerAttributes{Id: "id", Metadata: &runtimeapi.ContainerMetadata{Name: "c"}}, Cpu: cpu, Memory: memory,
				WritableLayer: &runtimeapi.FilesystemUsage{Timestamp: at, UsedBytes: number(4096), InodesUsed: number(1)},
			}},
		},
	}}, nil
}

func (runtimeOf) ListContainers(context.Context, *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error) {
	return []*runtimeapi.Container{{Id: "id", CreatedAt: 1_600_000_000_500_000_000, Image: &runtimeapi.ImageSpec{Image: "sha256:1", UserSpecifiedImage: "echo:v1"}}}, nil
}

func (r runtimeOf) ImageFsInfo(context.Context) (*runtimeapi.ImageFsInfoResponse, error) {
	return &runtimeapi.ImageFsInfoResponse{ImageFilesystems: []*runtimeapi.FilesystemUsage{{
		FsId: &runtimeapi.FilesystemIdentifier{Mountpoint: r.images}, UsedBytes: &runtimeapi.UInt64Value{Value: 77},
	}}}, nil
}

// reader of that runtime, whose pod keeps 100,000 bytes in an emptyDir and as much in its log.
func reader(t *testing.T) *Reader {
	t.Helper()
	root := t.TempDir()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u"}, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "c"}},
		Volumes:    []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}}
	for _, file := range []string{"pods/u/volumes/kubernetes.io~empty-dir/v/data", "logs/n_p_u/c/0.log"} {
		file = filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, 100000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &Reader{Node: "worker", Root: root, Logs: filepath.Join(root, "logs"), Runtime: runtimeOf{root}, Pods: func() []*corev1.Pod { return []*corev1.Pod{pod} }}
}

func (r *Reader) get(t *testing.T, path string) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	pattern, _, _ := strings.Cut(path, "?")
	r.Handlers()["GET "+pattern].ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	if recorder.Code != 200 {
		t.Fatalf("%s: %d %s", path, recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

func TestSummaryHasTheDisk(t *testing.T) {
	var s statsv1.Summary
	if err := json.Unmarshal([]byte(reader(t).get(t, "/stats/summary")), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Pods) != 1 || len(s.Pods[0].Containers) != 1 || len(s.Pods[0].VolumeStats) != 1 || s.Node.Runtime == nil || *s.Node.Runtime.ImageFs.UsedBytes != 77 {
		t.Fatalf("%+v", s)
	}
	p := s.Pods[0]
	volume, log, all := *p.VolumeStats[0].UsedBytes, *p.Containers[0].Logs.UsedBytes, *p.EphemeralStorage.UsedBytes
	if volume < 100000 || log < 100000 || all != volume+log+4096 {
		t.Errorf("volume %d, log %d, in all %d", volume, log, all)
	}
	if p.Containers[0].StartTime.Unix() != 1_600_000_000 || *s.Node.Rlimit.NumOfRunningProcesses < 1 {
		t.Errorf("%+v", p.Containers[0])
	}
}

func TestSummaryOfCPUAndMemoryAlone(t *testing.T) {
	var s statsv1.Summary
	if err := json.Unmarshal([]byte(reader(t).get(t, "/stats/summary?only_cpu_and_memory=true")), &s); err != nil {
		t.Fatal(err)
	}
	p := s.Pods[0]
	if s.Node.CPU == nil || s.Node.Fs != nil || p.Memory == nil || p.EphemeralStorage != nil || p.Containers[0].CPU == nil || p.Containers[0].Rootfs != nil {
		t.Errorf("%+v", s)
	}
}

func TestMetricsInPrometheusFormat(t *testing.T) {
	r := reader(t)
	for path, wanted := range map[string][]string{
		"/metrics/resource": {
			"# TYPE container_cpu_usage_seconds_total counter\n" + `container_cpu_usage_seconds_total{container="c",namespace="n",pod="p"} 2 1700000000000`,
			`pod_memory_working_set_bytes{namespace="n",pod="p"} 300 1700000000000`,
			`container_start_time_seconds{container="c",namespace="n",pod="p"} 1.6000000005e+09`,
			"node_memory_working_set_bytes ", "resource_scrape_error 0\n",
		},
		"/metrics/cadvisor": {
			`container_cpu_usage_seconds_total{container="c",id="id",image="echo:v1",name="id",namespace="n",pod="p",cpu="total"} 2 1700000000000`,
			`container_memory_working_set_bytes{container="",id="sandbox",image="",name="",namespace="n",pod="p"} 300 1700000000000`,
			`container_memory_failures_total{container="c",id="id",image="echo:v1",name="id",namespace="n",pod="p",failure_type="pgfault",scope="container"} 7`,
			`container_network_receive_bytes_total{id="sandbox",image="",interface="eth0",name="",namespace="n",pod="p"} 11`,
			`container_fs_usage_bytes{container="c",id="id",image="echo:v1",name="id",namespace="n",pod="p"} 4096`,
			`container_processes{container="",id="sandbox",image="",name="",namespace="n",pod="p"} 2`,
			`container_memory_working_set_bytes{container="",id="/",`, "machine_cpu_cores ", "machine_memory_bytes ",
		},
	} {
		got := r.get(t, path)
		for _, want := range wanted {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is missing in\n%s", path, want, got)
			}
		}
	}
}
