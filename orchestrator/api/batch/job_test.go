package batch

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// jobOf a spec, as it is after defaulting.
func jobOf(t *testing.T, spec string) *batchv1.Job {
	t.Helper()
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "v", UID: "u"}}
	if err := json.Unmarshal([]byte(`{`+spec+`"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"x"}]}}}`), &j.Spec); err != nil {
		t.Fatal(err)
	}
	defaultJob(j)
	generateSelector(j)
	return j
}

// refusals without the values that hold a whole object.
func refusals(errs field.ErrorList) string {
	var lines []string
	for _, err := range errs {
		text := err.Error()
		if from, to := strings.Index(text, "{"), strings.LastIndex(text, "}"); from >= 0 && to > from {
			text = text[:from] + "OBJECT" + text[to+1:]
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// The messages are v1.37.2's.
func TestWhatAJobMayNotHold(t *testing.T) {
	const indexed = `"completionMode":"Indexed",`
	for _, row := range []struct{ name, spec, want string }{
		{"as it is", ``, ""},
		{"a limit per index without indexes", `"backoffLimitPerIndex":1,`, `spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode`},
		{"failed indexes without a limit each", indexed + `"completions":2,"maxFailedIndexes":1,`, `spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified`},
		{"more failed indexes than there are", indexed + `"completions":2,"backoffLimitPerIndex":1,"maxFailedIndexes":3,`, `spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions`},
		{"too parallel", indexed + `"completions":100001,"parallelism":100001,`, `spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed`},
		{"FailIndex without a limit", `"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"operator":"In","values":[1]}}]},`,
			`spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`},
		{"exit code 0", `"podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"operator":"In","values":[0]}}]},`,
			`spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`},
		{"unordered", `"podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"operator":"NotIn","values":[2,1]}}]},`,
			`spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered`},
		{"neither codes nor conditions", `"podFailurePolicy":{"rules":[{"action":"Ignore"}]},`,
			`spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`},
		{"replaced too early for a failure policy", `"podFailurePolicy":{"rules":[]},"podReplacementPolicy":"TerminatingOrFailed",`,
			`spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"`},
		{"unknown container, code twice", `"podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"containerName":"z","operator":"In","values":[1,1]}}]},`,
			`spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template
spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Duplicate value: 1`},
		{"somebody else's selector", `"selector":{"matchLabels":{"a":"b"}},`, "spec.selector: Invalid value: OBJECT: `selector` not auto-generated\n" +
			"spec.template.metadata.labels: Invalid value: OBJECT: `selector` does not match template `labels`"},
		{"a selector by hand that misses", `"manualSelector":true,"selector":{"matchLabels":{"a":"b"}},`,
			"spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"},
		{"no action, no operator", `"podFailurePolicy":{"rules":[{"action":"","onExitCodes":{"operator":"","values":[1]}}]},`,
			`spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]
spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]`},
		{"replaced by no policy", `"podReplacementPolicy":"Never",`, `spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"`},
		{"negative", `"parallelism":-1,"completions":-1,"backoffLimit":-1,"activeDeadlineSeconds":-1,"ttlSecondsAfterFinished":-1,`, `spec.parallelism: Invalid value: -1: must be greater than or equal to 0
spec.completions: Invalid value: -1: must be greater than or equal to 0
spec.activeDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0
spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0
spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := refusals(validateJob(context.Background(), jobOf(t, row.spec))); got != row.want {
				t.Errorf("refused with\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestWhatOfAJobMayChange(t *testing.T) {
	const elastic = `"completionMode":"Indexed","completions":3,"parallelism":3,`
	for _, row := range []struct {
		name, spec string
		change     func(*batchv1.Job)
		want       string
	}{
		{"completions alone", elastic, func(j *batchv1.Job) { *j.Spec.Completions = 2 }, `spec.completions: Invalid value: 2: can only be modified in tandem with spec.parallelism`},
		{"completions and parallelism", elastic, func(j *batchv1.Job) { *j.Spec.Completions, *j.Spec.Parallelism = 2, 2 }, ""},
		{"parallelism alone", elastic, func(j *batchv1.Job) { *j.Spec.Parallelism = 1 }, ""},
		{"completions of what is not indexed", `"completions":3,"parallelism":3,`, func(j *batchv1.Job) { *j.Spec.Completions, *j.Spec.Parallelism = 2, 2 },
			`spec.completions: Invalid value: 2: field is immutable`},
		{"where it goes, while suspended", `"suspend":true,`, func(j *batchv1.Job) { j.Spec.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, ""},
		{"labels, while suspended", `"suspend":true,`, func(j *batchv1.Job) { j.Spec.Template.Annotations = map[string]string{"a": "b"} }, ""},
		{"its node, while suspended", `"suspend":true,`, func(j *batchv1.Job) { j.Spec.Template.Spec.NodeName = "n" }, `spec.template.spec: Invalid value: OBJECT: field is immutable`},
		{"where it goes, while it runs", ``, func(j *batchv1.Job) { j.Spec.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, `spec.template: Invalid value: OBJECT: field is immutable`},
		{"what its pods get, while suspended", `"suspend":true,`, func(j *batchv1.Job) {
			j.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}
		}, ""},
		{"no completions", elastic, func(j *batchv1.Job) { j.Spec.Completions = nil }, `spec.completions: Required value: when completion mode is Indexed`},
		{"rules for nodes beside others, while suspended", `"suspend":true,`, func(j *batchv1.Job) {
			j.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}
		}, ""},
		{"rules for pods, while suspended", `"suspend":true,`, func(j *batchv1.Job) {
			j.Spec.Template.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{}}
		}, `spec.template.spec: Invalid value: OBJECT: field is immutable`},
	} {
		t.Run(row.name, func(t *testing.T) {
			old := jobOf(t, row.spec)
			j := old.DeepCopy()
			row.change(j)
			if got := refusals(validateJobUpdate(context.Background(), j, old)); got != row.want {
				t.Errorf("refused with\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}
