package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

func lease(name string, seconds int32) runtime.Object {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name}, Spec: coordinationv1.LeaseSpec{LeaseDurationSeconds: &seconds}}
}

func staticPod(component string, command ...string) runtime.Object {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: component, Labels: map[string]string{"component": component}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Command: append([]string{component}, command...)}}}}
}

func TestSettingsAreWhatTheClusterStates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pace.yaml")
	if err := os.WriteFile(file, []byte("nodeMonitorGracePeriod: 40s\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		objects []runtime.Object
		flags   map[string]map[string]string
		file    string
		setting string
		want    record.Setting
	}{
		"upstream's when nothing is known": {setting: "leaseDuration", want: record.Setting{Value: "15s", Source: "upstream's default"}},
		"the longer one of two Leases": {objects: []runtime.Object{lease(scheduler, 4), lease(controllerManager, 6)}, setting: "leaseDuration",
			want: record.Setting{Value: "6s", Source: "Leases in kube-system"}},
		"a released Lease says nothing": {objects: []runtime.Object{lease(scheduler, 1), lease(controllerManager, 4)}, setting: "leaseDuration",
			want: record.Setting{Value: "4s", Source: "Leases in kube-system"}},
		"flags of static pods": {objects: []runtime.Object{staticPod("etcd", "--election-timeout=5000")}, setting: "etcdElectionTimeout",
			want: record.Setting{Value: "5s", Source: "command lines of pods in kube-system"}},
		"the cluster's shape": {flags: map[string]map[string]string{controllerManager: {"node-monitor-grace-period": "20s"}}, setting: "nodeMonitorGracePeriod",
			want: record.Setting{Value: "20s", Source: "kubeadmConfigPatches of the cluster's shape"}},
		"the file has the last word": {flags: map[string]map[string]string{controllerManager: {"node-monitor-grace-period": "20s"}}, file: file, setting: "nodeMonitorGracePeriod",
			want: record.Setting{Value: "40s", Source: file}},
	} {
		t.Run(name, func(t *testing.T) {
			layers, err := stated(t.Context(), fake.NewClientset(row.objects...), row.flags, row.file)
			if err != nil {
				t.Fatal(err)
			}
			row.want.Name = row.setting
			for _, s := range record.Settings(layers...) {
				if s.Name == row.setting && s != row.want {
					t.Errorf("got %+v, want %+v", s, row.want)
				}
			}
		})
	}
}

// What was settled is passed on to the shards as a file of the same format.
func TestSettingsPassThroughTheirFile(t *testing.T) {
	layers, err := stated(t.Context(), fake.NewClientset(lease(scheduler, 7)), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	text := settingsFile(record.Settings(layers...))
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := stated(t.Context(), fake.NewClientset(), nil, file)
	if err != nil || again[len(again)-1].Settings.Lease != 7*time.Second || !strings.Contains(text, "Leases in kube-system") {
		t.Errorf("%v: %+v from\n%s", err, again[len(again)-1], text)
	}
}
