package state

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The events of a Namespace and of its pods come by different watches: its own may be the first.
func TestATallyFallsWhenTheNamespaceGoesBeforeItsPods(t *testing.T) {
	s := New()
	s.SetNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"zone": "a"}}})
	s.SetNamespace("team", labels.Set{"tier": "web"})
	asking := NewPod(&corev1.Pod{Spec: corev1.PodSpec{Affinity: &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey: "zone", LabelSelector: &metav1.LabelSelector{}, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "web"}},
		}},
	}}}})
	s.Place(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "p", UID: "1"}, Spec: corev1.PodSpec{NodeName: "n"}})
	if got := s.Tally(asking.Affinity[0]).ByValue["a"]; got != 1 {
		t.Fatalf("%d pods are counted", got)
	}
	s.RemoveNamespace("team")
	s.Remove("1")
	if got := s.Tally(asking.Affinity[0]).ByValue["a"]; got != 0 {
		t.Errorf("%d pods are counted although there is none", got)
	}
}
