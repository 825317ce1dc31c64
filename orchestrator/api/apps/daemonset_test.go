package apps

import (
	"context"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

func TestTemplateGenerationCountsTemplatesOnly(t *testing.T) {
	ctx, rules := context.Background(), DaemonSet().Rules
	d := &appsv1.DaemonSet{}
	rules.PrepareCreate(ctx, d)
	if got := templateGeneration(d); got != 1 {
		t.Errorf("a new DaemonSet has template generation %d", got)
	}
	for _, c := range []struct {
		name   string
		change func(*appsv1.DaemonSet)
		want   int64
	}{
		{"annotation removed", func(d *appsv1.DaemonSet) { d.Annotations = nil }, 1},
		{"annotation written", func(d *appsv1.DaemonSet) { d.Annotations[appsv1.DeprecatedTemplateGeneration] = "9" }, 1},
		{"other field", func(d *appsv1.DaemonSet) { d.Spec.MinReadySeconds = 5 }, 1},
		{"template", func(d *appsv1.DaemonSet) { d.Spec.Template.Labels = map[string]string{"a": "b"} }, 2},
	} {
		changed := d.DeepCopy()
		c.change(changed)
		rules.PrepareUpdate(ctx, changed, d)
		if got := templateGeneration(changed); got != c.want {
			t.Errorf("%s: template generation %d, want %d", c.name, got, c.want)
		}
	}
}
