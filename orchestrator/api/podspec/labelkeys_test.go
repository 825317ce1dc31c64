package podspec_test

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// The rows are what stock answers for a pod with the labels a=b, h=1.
func TestLabelKeys(t *testing.T) {
	labels := map[string]string{"a": "b", "h": "1"}
	const expanded = `{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"h","operator":"In","values":["1"]}]}`
	byA := func() *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}} }
	byH := func() *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "h", Operator: metav1.LabelSelectorOpIn, Values: []string{"1"}}}}
	}
	for _, row := range []struct {
		name            string
		selector        *metav1.LabelSelector
		match, mismatch []string
		// want is the selector, or what is wrong behind the path of the term.
		want string
	}{
		{"expanded", byA(), []string{"h"}, nil, expanded},
		{"that the pod has not", byA(), []string{"no", "h"}, []string{"no2"}, expanded},
		{"an empty selector", &metav1.LabelSelector{}, []string{"h"}, nil, `{"matchExpressions":[{"key":"h","operator":"In","values":["1"]}]}`},
		{"not those", byA(), nil, []string{"h"}, `{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"h","operator":"NotIn","values":["1"]}]}`},
		{"selected and not", byA(), nil, []string{"a"}, `{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"NotIn","values":["b"]}]}`},
		{"these and not those", byA(), []string{"h"}, []string{"a"},
			`{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"h","operator":"In","values":["1"]},{"key":"a","operator":"NotIn","values":["b"]}]}`},
		{"no selector", nil, []string{"h"}, nil, `.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`},
		{"in the labels too", byA(), []string{"a"}, nil, `[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector`},
		{"in the expressions too", byH(), []string{"h"}, nil, `[0]: Invalid value: "h": exists in both matchLabelKeys and labelSelector`},
		{"twice", byA(), []string{"h", "h"}, nil, `[1]: Invalid value: "h": exists in both matchLabelKeys and labelSelector`},
	} {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "c", Image: "x"}},
			Affinity: &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
				{TopologyKey: "z", LabelSelector: row.selector.DeepCopy(), MatchLabelKeys: row.match, MismatchLabelKeys: row.mismatch},
			}}},
		}}
		if row.mismatch == nil {
			p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "z", LabelSelector: row.selector, MatchLabelKeys: row.match}}
		}
		podspec.Default(&p.Spec)
		if errs := podspec.Validate(&p.Spec, nil); row.want[0] == '[' && len(errs) > 0 {
			t.Errorf("%s: a template may say so: %v", row.name, errs)
		}
		podspec.ExpandLabelKeys(&p.Spec, p.Labels)
		check(t, row.name, row.want, p)
	}
}

func check(t *testing.T, name, want string, p *corev1.Pod) {
	t.Helper()
	paths := []string{"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"}
	selectors := []*metav1.LabelSelector{p.Spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector}
	for _, c := range p.Spec.TopologySpreadConstraints {
		paths, selectors = append(paths, "spec.topologySpreadConstraints[0]"), append(selectors, c.LabelSelector)
	}
	errs := podspec.ValidateNew(p)
	if want[0] == '{' {
		for _, s := range selectors {
			if got, err := json.Marshal(s); string(got) != want || len(errs) > 0 {
				t.Errorf("%s: %s %v %v, want %s", name, got, err, errs, want)
			}
		}
		return
	}
	if len(errs) != len(paths) {
		t.Fatalf("%s: %v, want %s", name, errs, want)
	}
	for i, path := range paths {
		if got := errs[i].Error(); got != path+want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, path+want)
		}
	}
}

func TestALabelKeyIsNotBothMatchedAndMismatched(t *testing.T) {
	term := corev1.PodAffinityTerm{TopologyKey: "z", LabelSelector: &metav1.LabelSelector{}, MatchLabelKeys: []string{"h"}, MismatchLabelKeys: []string{"h"}}
	spec := &corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}, Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 1, PodAffinityTerm: term}}}}}
	podspec.Default(spec)
	const want = `affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.matchLabelKeys[0]: Invalid value: "h": exists in both matchLabelKeys and mismatchLabelKeys`
	if err := podspec.Validate(spec, nil).ToAggregate(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestANegativeGracePeriodOfAPodIsASecond(t *testing.T) {
	spec := corev1.PodSpec{TerminationGracePeriodSeconds: new(int64)}
	podspec.DefaultPod(&spec)
	if *spec.TerminationGracePeriodSeconds != 0 {
		t.Error("none is none")
	}
	*spec.TerminationGracePeriodSeconds = -30
	podspec.Default(&spec)
	if *spec.TerminationGracePeriodSeconds != -30 {
		t.Error("a template keeps what it says")
	}
	if podspec.DefaultPod(&spec); *spec.TerminationGracePeriodSeconds != 1 {
		t.Errorf("got %d", *spec.TerminationGracePeriodSeconds)
	}
}
