package disruption

import (
	"log/slog"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/discovery/cached/memory"
	discovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/restmapper"
	clients "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// over is a controller, not running, with full caches.
func over(t *testing.T, objects ...runtime.Object) (*controller, *record.FakeRecorder) {
	t.Helper()
	client, events := fake.NewClientset(objects...), record.NewFakeRecorder(16)
	factory := informers.NewSharedInformerFactory(client, 0)
	factory.Core().V1().Pods().Informer()
	factory.Policy().V1().PodDisruptionBudgets().Informer()
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	logger := slog.New(slog.DiscardHandler)
	c := &controller{
		World:  &world.World{Client: client, Informers: factory, Events: events, Logger: logger},
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(&discovery.FakeDiscovery{Fake: &clients.Fake{Resources: []*metav1.APIResourceList{{GroupVersion: "v1"}}}})),
		loop:   loop.New(t.Context(), 1, logger, nil),
	}
	return c, events
}

func budget(spec policy.PodDisruptionBudgetSpec) *policy.PodDisruptionBudget {
	spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"z": "1"}}
	return &policy.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "b"}, Spec: spec}
}

func pod(name string, phase core.PodPhase) *core.Pod {
	return &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, Labels: map[string]string{"z": "1"}}, Status: core.PodStatus{Phase: phase}}
}

// What a budget needs may become known without an event of a pod or a budget: that it is not known must be tried again, also when the status
// says so already and there is nothing to write.
func TestABudgetThatCannotBeComputedIsTriedAgain(t *testing.T) {
	one := intstr.FromInt32(1)
	unknown, yes := pod("p", core.PodRunning), true
	unknown.OwnerReferences = []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "Thing", Name: "x", UID: "x", Controller: &yes}}
	b := budget(policy.PodDisruptionBudgetSpec{MaxUnavailable: &one})
	c, _ := over(t, b, unknown)
	if err := c.sync(t.Context(), "n/b"); err == nil {
		t.Error("the first failure passes for success")
	}
	said, err := c.Client.PolicyV1().PodDisruptionBudgets("n").Get(t.Context(), "b", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if failed := meta.FindStatusCondition(said.Status.Conditions, policy.DisruptionAllowedCondition); failed == nil || failed.Reason != policy.SyncFailedReason {
		t.Fatalf("the budget says %v, want %s", said.Status.Conditions, policy.SyncFailedReason)
	}
	c, _ = over(t, said, unknown)
	if err := c.sync(t.Context(), "n/b"); err == nil {
		t.Error("an unchanged failure passes for success")
	}
}

func TestAnEndedPodIsExpected(t *testing.T) {
	one := intstr.FromInt32(1)
	c, _ := over(t, budget(policy.PodDisruptionBudgetSpec{MinAvailable: &one}), pod("ended", core.PodSucceeded), pod("running", core.PodRunning))
	if err := c.sync(t.Context(), "n/b"); err != nil {
		t.Fatal(err)
	}
	said, err := c.Client.PolicyV1().PodDisruptionBudgets("n").Get(t.Context(), "b", metav1.GetOptions{})
	if err != nil || said.Status.ExpectedPods != 2 {
		t.Errorf("%d pods are expected, want 2 (%v)", said.Status.ExpectedPods, err)
	}
}

func TestPodsWithoutAControllerAreReported(t *testing.T) {
	one, half := intstr.FromInt32(1), intstr.FromString("50%")
	for _, row := range []struct {
		name  string
		spec  policy.PodDisruptionBudgetSpec
		event string
	}{
		{"a number of pods", policy.PodDisruptionBudgetSpec{MinAvailable: &one}, ""},
		{"a share of pods", policy.PodDisruptionBudgetSpec{MinAvailable: &half}, "Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{z: 1,}"},
		{"at most so many down", policy.PodDisruptionBudgetSpec{MaxUnavailable: &one}, "Warning UnmanagedPods "},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, events := over(t, budget(row.spec), pod("bare", core.PodRunning))
			if err := c.sync(t.Context(), "n/b"); err != nil {
				t.Fatal(err)
			}
			close(events.Events)
			got := <-events.Events
			if (got == "") != (row.event == "") || !strings.HasPrefix(got, row.event) {
				t.Errorf("reported %q, want %q", got, row.event)
			}
		})
	}
}
