package apps

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The message shows claims as v1.37.2 does.
func TestClaimTemplatesOfASetAreImmutable(t *testing.T) {
	old := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "s"}}
	old.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
	old.Spec.Template.Labels = old.Spec.Selector.MatchLabels
	old.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "x"}}
	old.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "v"}, Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{"ReadWriteOnce"}}}}
	defaultStatefulSet(old)
	changed := old.DeepCopy()
	changed.Spec.VolumeClaimTemplates[0].Spec.VolumeName = "other"
	errs := validateStatefulSetUpdate(context.Background(), changed, old)
	const want = `spec.volumeClaimTemplates: Invalid value: [{"name":"v","Spec":{"AccessModes":["ReadWriteOnce"],"Selector":null,"Resources":{"Limits":null,"Requests":null}`
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
		t.Errorf("refused with %v, want %s...", errs, want)
	}
}
