package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestUntaggedSpellsFieldsAsGoDoes(t *testing.T) {
	err := field.Invalid(field.NewPath("x"), Untagged(corev1.Taint{Key: "k", Effect: "NoSchedule"}), "why")
	if got, want := err.Error(), `x: Invalid value: {"Key":"k","Value":"","Effect":"NoSchedule","TimeAdded":null}: why`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
