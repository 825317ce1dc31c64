package rescheduling

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// slow is how long a victim takes to end: long enough to see who waits for it.
const slow = 3 * time.Second

// victims of the preemption, each with one of a node's two of a resource; the preemptor asks for both.
const victims = 2

func declarePreempted() {
	It("starts a pod only after the pods that it preempted have ended, and runs those elsewhere", Label("RESCHED-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		workers := s.Workers(ctx, 2)
		low, high := s.PriorityClass(ctx, "low", 1000), s.PriorityClass(ctx, "high", 2000)
		scarce := s.AddResource(ctx, workers[0], victims)
		d, grace := s.Deployment("victim", victims), int64(30)
		spec := &d.Spec.Template.Spec
		spec.PriorityClassName, spec.TerminationGracePeriodSeconds = low, &grace
		spec.Containers[0].Args = []string{"--drain=" + slow.String()}
		ask(spec, scarce, 1)
		s.Deploy(ctx, d)
		s.AddResource(ctx, workers[1], victims)
		p := preemption{node: workers[0], running: map[string]bool{}}
		for _, victim := range s.PodsOf(ctx, "victim") {
			p.running[victim.Name] = true
		}
		events, err := s.API.CoreV1().Pods(s.Namespace).Watch(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(events.Stop)
		s.Create(ctx, scene.On(workers[0], s.Idle("preemptor", func(spec *corev1.PodSpec) {
			spec.PriorityClassName = high
			ask(spec, scarce, victims)
		})))
		p.follow(ctx, events)
		scene.Record("preempted", "%d victims ended before the preemptor was placed, the last at %s; its container started at %s",
			p.ended, p.last.Format(time.TimeOnly), p.started.Format(time.TimeOnly))
		Expect(p.wrong).To(BeEmpty())
		Expect(p.ended).To(Equal(victims))
		Expect(p.started.Before(p.last)).To(BeFalse(), "the preemptor's container started before the last victim's had ended")
		s.WaitRolledOut(ctx, "victim")
		Expect(onNode(s.PodsOf(ctx, "victim"), workers[1])).To(HaveLen(victims), "only there is room for the victims' successors")
	})
}

func ask(spec *corev1.PodSpec, name corev1.ResourceName, n int64) {
	some := corev1.ResourceList{name: *resource.NewQuantity(n, resource.DecimalSI)}
	spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: some, Limits: some}
}

// preemption is what the API shows of it, in order.
type preemption struct {
	node string
	// running are the victims that have not ended.
	running map[string]bool
	ended   int
	// last is when the last victim's container ended, started when the preemptor's started: both by the node's clock, in whole seconds.
	last, started time.Time
	wrong         []string
}

// follow reads events until the preemptor runs.
func (p *preemption) follow(ctx context.Context, events watch.Interface) {
	GinkgoHelper()
	limit := budget.PodStop.Limit() + budget.PodStart.Limit()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for p.started.IsZero() {
		select {
		case <-ctx.Done():
			Fail(fmt.Sprintf("the preemptor does not run within %s; victims that run: %v", limit, p.running))
		case e, open := <-events.ResultChan():
			pod, ok := e.Object.(*corev1.Pod)
			Expect(open && ok).To(BeTrue(), "the watch of pods ended: %v", e)
			if pod.Name == "preemptor" {
				p.preemptor(pod)
			} else if p.running[pod.Name] {
				p.victim(pod, e.Type)
			}
		}
	}
}

func (p *preemption) victim(pod *corev1.Pod, kind watch.EventType) {
	if done := scene.Status(pod, "echo").State.Terminated; done != nil && done.FinishedAt.After(p.last) {
		p.last = done.FinishedAt.Time
	}
	if kind == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		delete(p.running, pod.Name)
		p.ended++
	}
}

func (p *preemption) preemptor(pod *corev1.Pod) {
	if pod.Spec.NodeName != "" && len(p.running) > 0 {
		p.wrong = append(p.wrong, fmt.Sprintf("the preemptor was placed while %v had not ended", p.running))
	}
	if runs := scene.Status(pod, "echo").State.Running; runs != nil {
		p.started = runs.StartedAt.Time
	}
}
