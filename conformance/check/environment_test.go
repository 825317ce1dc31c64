package check

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"github.com/plumb-k8s/plumb/conformance/verdict/report/record"
)

// cluster1 is a cluster that says it is Kubernetes v1 and bears a UID.
func cluster1(uid types.UID) *fake.Clientset {
	api := fake.NewClientset(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: uid}})
	api.Discovery().(*fakediscovery.FakeDiscovery).FakedServerVersion = &version.Info{GitVersion: "v1"}
	return api
}

func TestATargetThatChangesMakesTheRunDoubtful(t *testing.T) {
	for name, row := range map[string]struct {
		was      record.Target
		want     string
		outranks bool
	}{
		"the same":                {record.Target{Kubernetes: "v1", UID: "a"}, "", false},
		"another cluster":         {record.Target{Kubernetes: "v1", UID: "b"}, "the target changed under the run, from cluster b to a", true},
		"another version":         {record.Target{Kubernetes: "v0", UID: "a"}, "the target changed under the run, from Kubernetes v0 to v1", true},
		"it never said who it is": {record.Target{}, "the target did not tell who it is", false},
	} {
		t.Run(name, func(t *testing.T) {
			doubts := changed(t.Context(), cluster1("a"), row.was)
			if row.want == "" {
				if len(doubts) > 0 {
					t.Errorf("doubts %v", doubts)
				}
				return
			}
			if len(doubts) != 1 || !strings.HasPrefix(doubts[0].Text, row.want) || doubts[0].Outranks != row.outranks || strings.Contains(doubts[0].Text, "\n") {
				t.Errorf("got %v, want %q", doubts, row.want)
			}
		})
	}
}

// A target that recovers from the last fault is asked again.
func TestATargetThatIsSlowToAnswerIsTheSame(t *testing.T) {
	api, asked := cluster1("a"), 0
	api.PrependReactor("get", "namespaces", func(clienttest.Action) (bool, runtime.Object, error) {
		asked++
		return asked == 1, nil, errors.New("not yet")
	})
	if doubts := changed(t.Context(), api, record.Target{Kubernetes: "v1", UID: "a"}); len(doubts) > 0 || asked != 2 {
		t.Errorf("%v after %d questions", doubts, asked)
	}
}
