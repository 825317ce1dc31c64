package routing

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

func declareRollout() {
	It("loses no request while a Deployment is updated whose pods drain", Label("ROUTE-012"), func(ctx SpecContext) {
		s := scene.New(ctx)
		service := s.Expose(ctx, "web")
		client(ctx, s, "client", "")
		s.Deploy(ctx, draining(s.Deployment("web", 3)))
		calls := callsTo(ctx, s, "client", "http://"+service.Spec.ClusterIP)
		old := s.PodsOf(ctx, "web")
		at := time.Now()
		scene.Mark(verdict.Phase, "Deployment web", "a new template")
		template := []byte(`{"spec":{"template":{"metadata":{"annotations":{"plumb.io/generation":"2"}}}}}`)
		_, err := s.API.AppsV1().Deployments(s.Namespace).Patch(ctx, "web", types.MergePatchType, template, metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		s.WaitRolledOut(ctx, "web")
		for _, p := range old {
			s.WaitGone(ctx, p.Name)
		}
		calls.WaitSince(ctx, time.Now(), enough)
		held(ctx, calls, at, 0)
	})
}

// draining is the standard recipe for updates that nobody notices: a new pod is Ready before an old one ends, and an old one goes on serving, unready,
// for longer than whoever balances may take to avoid it.
func draining(d *appsv1.Deployment) *appsv1.Deployment {
	one, none := intstr.FromInt32(1), intstr.FromInt32(0)
	d.Spec.Strategy = appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one, MaxUnavailable: &none},
	}
	grace := int64(30)
	pod := &d.Spec.Template.Spec
	pod.TerminationGracePeriodSeconds = &grace
	pod.Containers[0].Args = []string{"--drain=" + budget.EndpointRemoved.Limit().String()}
	return d
}
