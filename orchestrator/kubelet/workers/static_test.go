package workers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestStaticPodGoesOnFromItsMirror: a kubelet that was killed and started again said that its static pods had just begun.
func TestStaticPodGoesOnFromItsMirror(t *testing.T) {
	at := func(second int) *metav1.Time {
		stamp := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC))
		return &stamp
	}
	for name, row := range map[string]struct {
		shown  *metav1.Time
		before bool // the mirror was looked at before
		want   *metav1.Time
	}{
		"ran before":      {at(1), false, at(1)},
		"just made":       {nil, false, at(5)},
		"a later one":     {at(9), false, at(5)},
		"looked at twice": {at(1), true, at(5)},
	} {
		w := &worker{resumed: row.before, pod: &corev1.Pod{Status: corev1.PodStatus{StartTime: at(5)}}}
		resumed := w.resume(corev1.PodStatus{Phase: corev1.PodRunning, StartTime: row.shown})
		if got := w.pod.Status.StartTime; !got.Equal(row.want) || resumed != (row.want != nil && row.want.Equal(at(1))) {
			t.Errorf("%s: %v, resumed %t", name, got, resumed)
		}
		if resumed && w.current().Status.Phase != corev1.PodRunning {
			t.Errorf("%s: shown as %s", name, w.current().Status.Phase)
		}
	}
}
