package routing

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history/routes"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// The load of most specs here: a loss of a tenth of a second shows, and a machine that runs the whole cluster bears it.
const (
	pace    = 10 * time.Millisecond
	patient = 2 * time.Second
	// enough requests before a fault and after its time: were one of three endpoints not served, a loss would show with (2/3)^100 < 1e-17.
	enough = 100
)

// callsTo starts a client pod's requests to a URL and returns once enough of them in a row were answered, and each of the named pods has answered: then
// the client's node follows the Service. What was lost before does not count.
func callsTo(ctx context.Context, s *scene.Scene, client, url string, names ...string) *scene.Calls {
	GinkgoHelper()
	calls := s.Call(ctx, client, url+"/hostname", pace, patient)
	from := time.Now()
	Eventually(ctx, func(ctx context.Context) error {
		if calls.Since(ctx, from).Lost > 0 {
			from = time.Now()
		}
		calls.Begin(from)
		all, answered := calls.All(ctx), map[string]bool{}
		for _, c := range all {
			answered[c.Who] = true
		}
		for _, name := range names {
			if !answered[name] {
				return fmt.Errorf("%s has not answered", name)
			}
		}
		if before := len(routes.Ended(all, calls.Earliest(time.Now()))); before < enough {
			return fmt.Errorf("%d of %d requests in a row were answered", before, enough)
		}
		return nil
	}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
	return calls
}

// held ends a load once enough was sent after a fault's time, and judges it: nothing may be lost before the fault or later than it allows.
func held(ctx context.Context, calls *scene.Calls, at time.Time, within time.Duration) []routes.Call {
	GinkgoHelper()
	calls.WaitSince(ctx, at.Add(within), enough)
	all := calls.Stop(ctx)
	fault := routes.Fault{At: calls.Earliest(at), Within: calls.Latest(at.Add(within)) - calls.Earliest(at), Enough: enough}
	verdict := routes.Judge(all, fault)
	loss := routes.Between(all, 0, routes.End)
	scene.Record("requests", "%s; the fault was allowed to show for %s; clocks within %s", loss, within, calls.Unsure())
	Expect(verdict.Wrong).To(BeEmpty())
	if verdict.Inconclusive != "" {
		scene.Inconclusive("%s", verdict.Inconclusive)
	}
	return all
}

// web runs ready pods of the app web by these names.
func web(ctx context.Context, s *scene.Scene, alter func(*corev1.PodSpec), names ...string) {
	GinkgoHelper()
	for _, name := range names {
		pod := s.Echo(name, scene.App("web"))
		if alter != nil {
			alter(&pod.Spec)
		}
		s.Create(ctx, pod)
	}
	for _, name := range names {
		s.WaitReady(ctx, name)
	}
}

// never restarts what ended.
func never(spec *corev1.PodSpec) { spec.RestartPolicy = corev1.RestartPolicyNever }

// client is a pod that calls others.
func client(ctx context.Context, s *scene.Scene, name, node string) {
	GinkgoHelper()
	pod := s.Echo(name, nil)
	if node != "" {
		scene.On(node, pod)
	}
	s.Run(ctx, pod)
}
