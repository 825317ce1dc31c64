package probes

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestProbesAreCountedWhileTheirPodIsHere(t *testing.T) {
	m := New(Config{})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: types.UID("u")}}
	m.running[key{pod.UID, "c", Readiness}] = &prober{pod: pod}
	m.metrics.note(pod, "c", Readiness, true, time.Second)
	m.metrics.note(pod, "c", Readiness, false, time.Second)
	shown := func() string {
		recorder := httptest.NewRecorder()
		m.Metrics().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics/probes", nil))
		return recorder.Body.String()
	}
	for _, want := range []string{
		`prober_probe_total{container="c",namespace="n",pod="p",pod_uid="u",probe_type="Readiness",result="successful"} 1`,
		`prober_probe_total{container="c",namespace="n",pod="p",pod_uid="u",probe_type="Readiness",result="failed"} 1`,
		`prober_probe_duration_seconds_count{container="c",namespace="n",pod="p",probe_type="Readiness"} 2`,
	} {
		if !strings.Contains(shown(), want) {
			t.Errorf("%s is missing in\n%s", want, shown())
		}
	}
	m.Forget(pod.UID, nil)
	if got := shown(); got != "" {
		t.Errorf("of a pod that is gone: %s", got)
	}
}
