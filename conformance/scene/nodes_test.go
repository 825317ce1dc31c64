package scene

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestANodeIsUsableReturningOrSomebodysOwn(t *testing.T) {
	node := func(name string, cordoned bool, keys ...string) corev1.Node {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{Unschedulable: cordoned}}
		for _, key := range keys {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key})
		}
		return n
	}
	names, returning := usable([]corev1.Node{
		node("free", false), node("cordoned", true), node("control-plane", false, "node-role.kubernetes.io/control-plane"),
		node("back", false, corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable), node("both", false, corev1.TaintNodeUnreachable, "dedicated"),
	})
	if !slices.Equal(names, []string{"free"}) || !slices.Equal(returning, []string{"back"}) {
		t.Fatalf("usable %v, returning %v", names, returning)
	}
}
