package eviction

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
)

const mi = int64(1) << 20

// pod with a memory request in MiB and a priority.
func pod(name string, request int64, priority int32) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{Priority: &priority, Containers: []corev1.Container{{Name: "c"}}}}
	p.Name, p.UID = name, types.UID(name)
	if request > 0 {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(request*mi, resource.BinarySI)}
	}
	return p
}

func using(p *corev1.Pod, memory int64) Usage {
	return Usage{Pod: p, Memory: memory * mi, Containers: []ContainerUsage{{Name: "c", Memory: memory * mi}}}
}

func TestThresholds(t *testing.T) {
	seen := func(available, capacity int64) Observations {
		return Observations{MemoryAvailable: {Available: available * mi, Capacity: capacity * mi}}
	}
	for name, row := range map[string]struct {
		text, reclaim string
		available     int64
		was, want     bool
	}{
		"enough":                 {"100Mi", "", 100, false, false},
		"short":                  {"100Mi", "", 99, false, true},
		"a percentage, enough":   {"10%", "", 100, false, false},
		"a percentage, short":    {"10%", "", 99, false, true},
		"reclaim counts after":   {"100Mi", "50Mi", 120, true, true},
		"reclaim not before":     {"100Mi", "50Mi", 120, false, false},
		"reclaim reached":        {"100Mi", "50Mi", 150, true, false},
		"more than there can be": {"2Gi", "", 1000, false, true},
	} {
		all, err := Parse(map[string]string{"memory.available": row.text}, nil, nil, map[string]string{"memory.available": row.reclaim})
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v, %v", name, all, err)
		}
		if got := all[0].metBy(seen(row.available, 1000), row.was); got != row.want {
			t.Errorf("%s: met %v", name, got)
		}
	}
	for _, hard := range []map[string]string{{"memory.free": "1Mi"}, {"memory.available": "x"}, {"memory.available": "-1"}, {"memory.available": "101%"}} {
		if _, err := Parse(hard, nil, nil, nil); err == nil {
			t.Errorf("%v was accepted", hard)
		}
	}
	if _, err := Parse(nil, map[string]string{"memory.available": "1Gi"}, nil, nil); err == nil {
		t.Error("a soft threshold without a grace period was accepted")
	}
	if all, err := Parse(map[string]string{"memory.available": "0", "nodefs.available": "100%"}, nil, nil, nil); err != nil || len(all) != 0 {
		t.Errorf("switched off: %v, %v", all, err)
	}
}

func TestRankPutsTheFirstVictimFirst(t *testing.T) {
	static := pod("static", 0, 0)
	static.Annotations = map[string]string{"kubernetes.io/config.source": "file"}
	var names []string
	for _, u := range rank(Threshold{Signal: MemoryAvailable}, []Usage{
		using(pod("modest", 100, 0), 50), using(pod("important-greedy", 10, 1000), 500), using(pod("greedy", 10, 0), 100), using(pod("greediest", 10, 0), 200),
		using(static, 1000), using(pod("critical", 0, 2000000000), 1000),
	}) {
		names = append(names, u.Pod.Name)
	}
	if want := []string{"greediest", "greedy", "important-greedy", "modest"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// world of a manager: what it sees and what it does.
type world struct {
	now       time.Time
	available int64
	disk      int64
	pods      []Usage
	evicted   []string
	messages  []string
	graces    []int64
	changes   int
	reclaimed int
}

func (w *world) manager(t *testing.T, thresholds []Threshold) *Manager {
	t.Helper()
	return New(Config{
		Thresholds: thresholds, Transition: 5 * time.Minute, MaxPodGrace: 10,
		Observe: func(context.Context) (Observations, error) {
			return Observations{MemoryAvailable: {w.available * mi, 1000 * mi}, NodeFsAvailable: {w.disk * mi, 1000 * mi}}, nil
		},
		Usage:   func(context.Context) ([]Usage, error) { return w.pods, nil },
		Limited: func(context.Context) ([]Usage, error) { return nil, nil },
		Reclaim: func(context.Context) error { w.reclaimed++; w.disk += 500; return nil },
		Evict: func(uid types.UID, v status.Verdict, grace int64) {
			w.evicted, w.messages, w.graces = append(w.evicted, string(uid)), append(w.messages, v.Message), append(w.graces, grace)
		},
		Changed: func() { w.changes++ }, Event: func(string, string, string) {}, Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
	})
}

func TestMemoryPressureEndsOnePodAtATimeAndStaysForATransition(t *testing.T) {
	w := &world{now: time.Now(), available: 500, disk: 1000, pods: []Usage{using(pod("a", 0, 0), 300), using(pod("b", 0, 0), 100)}}
	m := w.manager(t, []Threshold{{Signal: MemoryAvailable, Quantity: 100 * mi}})
	look := func() {
		t.Helper()
		if err := m.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if len(w.evicted) != 0 || len(m.Pressure()) != 0 {
		t.Fatalf("without pressure: %v, %v", w.evicted, m.Pressure())
	}
	w.available = 50
	look()
	if !slices.Equal(w.evicted, []string{"a"}) || !m.Pressure()[corev1.NodeMemoryPressure] || w.changes != 1 || w.graces[0] != 1 {
		t.Errorf("%v %v, changes %d, graces %v", w.evicted, m.Pressure(), w.changes, w.graces)
	}
	want := "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 300Mi, request is 0, has larger consumption of memory. "
	if w.messages[0] != want {
		t.Errorf("message %q, want %q", w.messages[0], want)
	}
	w.available = 500
	w.now = w.now.Add(4 * time.Minute)
	look()
	if !m.Pressure()[corev1.NodeMemoryPressure] {
		t.Error("the condition flaps")
	}
	w.now = w.now.Add(2 * time.Minute)
	look()
	if len(m.Pressure()) != 0 || len(w.evicted) != 1 {
		t.Errorf("after the transition: %v, %v", m.Pressure(), w.evicted)
	}
}

func TestSoftThresholdsWait(t *testing.T) {
	w := &world{now: time.Now(), available: 50, disk: 1000, pods: []Usage{using(pod("a", 0, 0), 300)}}
	m := w.manager(t, []Threshold{{Signal: MemoryAvailable, Quantity: 100 * mi, Grace: time.Minute}})
	for _, step := range []struct {
		pass    time.Duration
		evicted int
	}{{0, 0}, {30 * time.Second, 0}, {31 * time.Second, 1}} {
		w.now = w.now.Add(step.pass)
		if err := m.Look(t.Context()); err != nil || len(w.evicted) != step.evicted {
			t.Errorf("after %v: %v, %v", step.pass, w.evicted, err)
		}
	}
	if len(w.graces) != 1 || w.graces[0] != 10 {
		t.Errorf("grace %v", w.graces)
	}
}

func TestImagesGoBeforePods(t *testing.T) {
	w := &world{now: time.Now(), available: 1000, disk: 10, pods: []Usage{using(pod("a", 0, 0), 1)}}
	m := w.manager(t, []Threshold{{Signal: NodeFsAvailable, Percent: 10}})
	if err := m.Look(t.Context()); err != nil || w.reclaimed != 1 || len(w.evicted) != 0 || !m.Pressure()[corev1.NodeDiskPressure] {
		t.Errorf("reclaimed %d, evicted %v, %v, %v", w.reclaimed, w.evicted, m.Pressure(), err)
	}
}

func TestLimitsOnDisk(t *testing.T) {
	limit := resource.MustParse("10Mi")
	dir := pod("dir", 0, 0)
	dir.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}}}
	container := pod("container", 0, 0)
	container.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: limit}
	half := pod("half", 0, 0) // stock adds up the limits that there are
	half.Spec.Containers = append(half.Spec.Containers, *container.Spec.Containers[0].DeepCopy())
	half.Spec.Containers[1].Name = "limited"
	for name, row := range map[string]struct {
		usage Usage
		want  string
	}{
		"other beyond":     {Usage{Pod: half, Disk: 11 * mi, Containers: []ContainerUsage{{Name: "c", Disk: 11 * mi}}}, "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "},
		"dir within":       {Usage{Pod: dir, EmptyDirs: map[string]int64{"v": 10 * mi}}, ""},
		"dir beyond":       {Usage{Pod: dir, EmptyDirs: map[string]int64{"v": 11 * mi}}, `Usage of EmptyDir volume "v" exceeds the limit "10Mi". `},
		"container within": {Usage{Pod: container, Disk: 5 * mi, Containers: []ContainerUsage{{Name: "c", Disk: 5 * mi}}}, ""},
		"container beyond": {Usage{Pod: container, Disk: 5 * mi, Containers: []ContainerUsage{{Name: "c", Disk: 11 * mi}}}, `Container c exceeded its local ephemeral storage limit "10Mi". `},
		"pod beyond":       {Usage{Pod: container, Disk: 11 * mi}, "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "},
	} {
		if got := exceeded(row.usage); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	critical := pod("critical", 0, 2000000000)
	critical.Spec.Volumes = dir.Spec.Volumes
	if Limited(critical) || !Limited(dir) || !Limited(container) || Limited(pod("free", 1, 0)) {
		t.Error("Limited is wrong about somebody")
	}
}

func TestAdmitUnderPressure(t *testing.T) {
	memory, disk := map[corev1.NodeConditionType]bool{corev1.NodeMemoryPressure: true}, map[corev1.NodeConditionType]bool{corev1.NodeDiskPressure: true}
	tolerant := pod("tolerant", 0, 0)
	tolerant.Spec.Tolerations = []corev1.Toleration{{Key: corev1.TaintNodeMemoryPressure, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	for name, row := range map[string]struct {
		pod      *corev1.Pod
		pressure map[corev1.NodeConditionType]bool
		refused  bool
	}{
		"none":                {pod("a", 0, 0), nil, false},
		"memory, best effort": {pod("a", 0, 0), memory, true},
		"memory, burstable":   {pod("a", 1, 0), memory, false},
		"memory, tolerant":    {tolerant, memory, false},
		"disk, burstable":     {pod("a", 1, 0), disk, true},
		"disk, critical":      {pod("a", 0, 2000000000), disk, false},
	} {
		v := Admit(row.pod, row.pressure)
		if (v != nil) != row.refused || (v != nil && !strings.HasPrefix(v.Message, "The node had condition: [")) {
			t.Errorf("%s: %v", name, v)
		}
	}
}
