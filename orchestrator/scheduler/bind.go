package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/preempt"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/queue"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

func (s *Scheduler) startRecording(b record.EventBroadcaster) {
	b.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: s.Client.CoreV1().Events(metav1.NamespaceAll)})
	s.recorders = map[string]record.EventRecorder{}
	for _, name := range s.Names {
		s.recorders[name] = b.NewRecorder(scheme.Scheme, corev1.EventSource{Component: name})
	}
}

// bind writes the decision. When the apiserver refuses it, the pod is taken back and tried again.
func (s *Scheduler) bind(ctx context.Context, attempt queue.Attempt, assumed *corev1.Pod) {
	pod, node := attempt.Pod, assumed.Spec.NodeName
	err := s.Client.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
	if err == nil {
		s.queue.Done(attempt)
		s.recorders[pod.Spec.SchedulerName].Eventf(pod, corev1.EventTypeNormal, "Scheduled", "Successfully assigned %s to %s", key(pod), node)
		return
	}
	if apierrors.IsNotFound(err) {
		s.queue.Remove(pod.UID)
	} else {
		s.Logger.Warn("binding failed", "pod", key(pod), "node", node, "err", err)
	}
	s.takeBack(attempt, assumed, rules.Need{Events: rules.Anything})
}

// refuse says why a pod fits nowhere, makes room for it if that can help, and puts it aside.
func (s *Scheduler) refuse(ctx context.Context, attempt queue.Attempt, refused map[string][]rules.Refusal, working *sync.WaitGroup) {
	pod := attempt.Pod
	plan, message := s.plan(pod, refused)
	s.queue.Refuse(attempt, rules.NeedOf(refused))
	s.write(ctx, working, func(ctx context.Context) {
		s.recorders[pod.Spec.SchedulerName].Event(pod, corev1.EventTypeWarning, "FailedScheduling", message)
		nominated := ""
		if plan != nil {
			nominated = plan.Node.Name
			s.evict(ctx, pod, plan)
		}
		if err := s.writeUnschedulable(ctx, pod, message, nominated); err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
			s.Logger.Warn("condition not written", "pod", key(pod), "err", err)
		}
	})
}

// plan looks for room that preemption could make, and composes stock's message.
func (s *Scheduler) plan(pod *corev1.Pod, refused map[string][]rules.Refusal) (*preempt.Plan, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes := len(s.state.Nodes())
	if nodes == 0 {
		return nil, "no nodes available to schedule pods"
	}
	message := fmt.Sprintf("0/%d nodes are available: %s.", nodes, tally(reasons(refused)))
	if pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy == corev1.PreemptNever {
		return nil, message + " preemption: not eligible due to preemptionPolicy=Never."
	}
	p := state.NewPod(pod)
	if s.victimsEnding(p) {
		return nil, message + " preemption: not eligible due to a terminating pod on the nominated node."
	}
	plan, why := preempt.Find(s.rules, p, s.state, refused, s.listBudgets())
	if plan == nil {
		return nil, fmt.Sprintf("%s preemption: 0/%d nodes are available: %s", message, nodes, tally(why))
	}
	s.state.Nominate(p, plan.Node.Name)
	return plan, message
}

// victimsEnding: the pod has evicted others already, and they have not ended yet.
func (s *Scheduler) victimsEnding(p *state.Pod) bool {
	n := s.state.Node(p.Status.NominatedNodeName)
	if n == nil {
		return false
	}
	for _, placed := range n.Pods {
		if placed.DeletionTimestamp != nil && placed.Priority < p.Priority {
			return true
		}
	}
	return false
}

func reasons(refused map[string][]rules.Refusal) map[string]int {
	counts := map[string]int{}
	for _, of := range refused {
		for _, r := range of {
			counts[r.Reason]++
		}
	}
	return counts
}

// tally is "2 Insufficient cpu, 1 node(s) were unschedulable", in the order of the strings.
func tally(counts map[string]int) string {
	parts := make([]string, 0, len(counts))
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[reason], reason))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// evict carries out a plan: each victim learns why, then is deleted.
func (s *Scheduler) evict(ctx context.Context, pod *corev1.Pod, plan *preempt.Plan) {
	for _, v := range plan.Victims {
		if v.DeletionTimestamp != nil {
			continue
		}
		condition := corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler, LastTransitionTime: metav1.Now(),
			Message: fmt.Sprintf("%s: preempting to accommodate a higher priority pod", pod.Spec.SchedulerName), ObservedGeneration: v.Generation,
		}
		if err := s.patchStatus(ctx, v.Pod, condition, nil); err != nil {
			s.Logger.Warn("victim not told", "pod", key(v.Pod), "err", err)
		}
		err := s.Client.CoreV1().Pods(v.Namespace).Delete(ctx, v.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(v.UID))})
		if err != nil && !apierrors.IsNotFound(err) {
			s.Logger.Warn("victim not evicted", "pod", key(v.Pod), "err", err)
			continue
		}
		s.recorders[pod.Spec.SchedulerName].Eventf(v.Pod, corev1.EventTypeNormal, "Preempted", "Preempted by pod %s on node %s", pod.UID, plan.Node.Name)
	}
}

func (s *Scheduler) writeUnschedulable(ctx context.Context, pod *corev1.Pod, message, nominated string) error {
	condition := corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
		LastTransitionTime: metav1.Now(), ObservedGeneration: pod.Generation,
	}
	var node *string
	if nominated != "" && nominated != pod.Status.NominatedNodeName {
		node = &nominated
	}
	if node == nil && hasCondition(pod, condition) {
		return nil
	}
	return s.patchStatus(ctx, pod, condition, node)
}

func hasCondition(pod *corev1.Pod, want corev1.PodCondition) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == want.Type && c.Status == want.Status && c.Reason == want.Reason && c.Message == want.Message
	})
}

// patchStatus merges one condition (and the nominated node) into a pod's status; the apiserver merges conditions by type.
func (s *Scheduler) patchStatus(ctx context.Context, pod *corev1.Pod, condition corev1.PodCondition, nominated *string) error {
	status := map[string]any{"conditions": []corev1.PodCondition{condition}}
	if nominated != nil {
		status["nominatedNodeName"] = *nominated
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = s.Client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
