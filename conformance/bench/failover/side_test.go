package failover

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestANamespaceThatIsBeingDeletedIsWaitedFor(t *testing.T) {
	now := metav1.Now()
	deleted := corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName, DeletionTimestamp: &now, Finalizers: []string{"x"}}}
	for _, row := range []struct {
		name string
		of   *fake.Clientset
		want bool
	}{
		{"none", fake.NewClientset(), true},
		{"an earlier run's, deleted", fake.NewClientset(&deleted), false},
		{"an earlier run's, left", fake.NewClientset(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName}}), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &side{client: row.of, namespace: namespaceName}
			if made, err := s.namespaceMade(t.Context()); made != row.want {
				t.Errorf("made: %v, %v", made, err)
			}
		})
	}
}
