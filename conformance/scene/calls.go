package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/history"
	"github.com/plumb-k8s/plumb/conformance/history/routes"
	"github.com/plumb-k8s/plumb/conformance/target"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// Calls are requests that an echo pod makes by itself, at a fixed pace and each on a connection of its own. The pod keeps them, so that they need
// no apiserver while they are made.
//
// The pod counts their times from the first, by its own clock. When that was on our clock is learned by asking for its age: it lies between the
// sending of the question less the age and the arrival of the answer less the age. Each question narrows that down; no clocks need to agree.
type Calls struct {
	clock

	scene *Scene
	pod   string
	// seen are those of the fetched calls that count.
	seen    []routes.Call
	fetched int
}

// Call starts calls of an echo pod to a URL, one every so often, each of which gives up after a time. They end with the spec.
func (s *Scene) Call(ctx context.Context, pod, url string, every, timeout time.Duration) *Calls {
	ginkgo.GinkgoHelper()
	c := &Calls{scene: s, pod: pod, clock: clock{from: time.Now()}}
	begin := c.request(s.API.CoreV1().RESTClient().Post()).Param("url", url).Param("every", every.String()).Param("timeout", timeout.String())
	body, err := begin.DoRaw(ctx)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "start calls of pod %s to %s: %s", pod, url, body)
	c.till = time.Now()
	for range 5 {
		c.All(ctx)
	}
	return c
}

func (c *Calls) request(r *rest.Request) *rest.Request {
	return r.Namespace(c.scene.Namespace).Resource("pods").SubResource("proxy").Name(c.pod + ":" + strconv.Itoa(EchoPort)).Suffix("load")
}

// All returns every call that has ended. While the pod is not reached it asks again.
func (c *Calls) All(ctx context.Context) []routes.Call {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, c.fetch).WithTimeout(budget.Failover.Limit()).WithPolling(target.Poll).Should(gomega.Succeed(), "the calls of pod %s", c.pod)
	return c.seen
}

func (c *Calls) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, budget.Call.Limit())
	defer cancel()
	asked := time.Now()
	body, err := c.request(c.scene.API.CoreV1().RESTClient().Get()).Param("from", strconv.Itoa(c.fetched)).DoRaw(ctx)
	if err != nil {
		return err
	}
	answered := time.Now()
	var shown struct {
		Now   int64
		Calls []struct {
			At, Took   int64
			Who, Error string
		}
	}
	if err := json.Unmarshal(body, &shown); err != nil {
		return fmt.Errorf("the calls of pod %s: %w", c.pod, err)
	}
	c.narrow(asked, answered, time.Duration(shown.Now)*time.Microsecond)
	c.fetched += len(shown.Calls)
	for _, one := range shown.Calls {
		c.seen = append(c.seen, routes.Call{
			Begin: time.Duration(one.At) * time.Microsecond, Took: time.Duration(one.Took) * time.Microsecond, Who: one.Who, Error: one.Error,
		})
	}
	return nil
}

// Begin leaves out the calls that may have been sent before a moment: those that were made while a Service was not yet followed.
func (c *Calls) Begin(moment time.Time) {
	at := c.Latest(moment)
	c.seen = slices.DeleteFunc(c.seen, func(one routes.Call) bool { return one.Begin < at })
}

// Since counts the calls that were surely sent after a moment and have ended.
func (c *Calls) Since(ctx context.Context, moment time.Time) routes.Loss {
	ginkgo.GinkgoHelper()
	calls := c.All(ctx) // Narrows the clock.
	return routes.Between(calls, c.Latest(moment), routes.End)
}

// WaitSince returns once n calls that were surely sent after a moment have ended.
func (c *Calls) WaitSince(ctx context.Context, moment time.Time, n int) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) int { return c.Since(ctx, moment).Sent }).
		WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(gomega.BeNumerically(">=", n), "calls of pod %s", c.pod)
}

// Stop makes no more calls, waits for those under way, and returns all of them; they are a lane of the timeline.
func (c *Calls) Stop(ctx context.Context) []routes.Call {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func(ctx context.Context) error {
		_, err := c.request(c.scene.API.CoreV1().RESTClient().Delete()).DoRaw(ctx)
		return err
	}).WithTimeout(budget.Failover.Limit()).WithPolling(target.Poll).Should(gomega.Succeed(), "end the calls of pod %s", c.pod)
	calls := c.All(ctx)
	entry(c.lane(calls))
	return calls
}

func (c *Calls) lane(calls []routes.Call) verdict.Lane {
	var shown []verdict.Call
	for _, one := range calls {
		outcome := history.OK
		if one.Lost() {
			outcome = history.Failed
		}
		shown = append(shown, verdict.Call{At: c.from.Add(one.Begin), Took: one.Took.Seconds(), Outcome: string(outcome)})
	}
	return sampled(c.pod, shown)
}
