package workers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// A resize in place (KEP-1287) goes through three states per container: desired (the spec), allocated (this node agreed) and actuated (the
// kernel obeys). Everything that a worker makes rests on the allocated resources.

// resources by container name.
type resources map[string]corev1.ResourceRequirements

func resourcesOf(pod *corev1.Pod) resources {
	r := resources{}
	for _, m := range podinfo.Members(pod) {
		if m.Sort == podinfo.App || m.Sort == podinfo.Sidecar {
			r[m.Container.Name] = m.Container.Resources
		}
	}
	return r
}

// allocate takes the spec's resources over if the node has them, and else lets w.pod show the ones that were allocated before.
func (w *worker) allocate() {
	want := resourcesOf(w.pod)
	if w.allocated == nil || equality.Semantic.DeepEqual(want, w.allocated) {
		w.allocated, w.pending = want, nil
		return
	}
	w.pending = w.node.Resize(w.pod)
	if w.pending == nil {
		w.allocated = want
		return
	}
	w.again(10 * retry) // another pod may have left by then
	pod := w.pod.DeepCopy()
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if had, ok := w.allocated[list[i].Name]; ok {
				list[i].Resources = had
			}
		}
	}
	w.pod = pod
}

// change says what a running container's allocated resources ask for.
type change int

const (
	unchanged change = iota
	inPlace
	byRestart
)

func (w *worker) resized(m podinfo.Member, c *runtime.Container) change {
	had, known := w.actuated[c.ID]
	if !known {
		w.actuated[c.ID] = m.Container.Resources // as it was when first seen
		return unchanged
	}
	return changeBetween(had, m.Container)
}

func changeBetween(had corev1.ResourceRequirements, c *corev1.Container) change {
	result := unchanged
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		oldRequest, oldLimit := had.Requests[name], had.Limits[name]
		request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
		if oldRequest.Cmp(request) == 0 && oldLimit.Cmp(limit) == 0 {
			continue
		}
		if slices.Contains(c.ResizePolicy, corev1.ContainerResizePolicy{ResourceName: name, RestartPolicy: corev1.RestartContainer}) {
			return byRestart
		}
		result = inPlace
	}
	return result
}

// resize makes the kernel obey: the pod's group is never smaller than what its containers have at that moment.
func (w *worker) resize(ctx context.Context, m podinfo.Member, c *runtime.Container) error {
	linux := runtime.ContainerResources(w.pod, m.Container, w.node.Memory, w.node.CFSQuota)
	if linux.CpuQuota == 0 {
		linux.CpuQuota = -1 // a limit that was taken away
	}
	if linux.MemoryLimitInBytes == 0 {
		linux.MemoryLimitInBytes = -1
	}
	linux.OomScoreAdj = 0 // of a process that runs already
	limits := w.podLimits()
	if err := w.node.Cgroups.Apply(w.node.Cgroups.PodPath(w.pod), larger(limits, w.limits)); err != nil {
		return fmt.Errorf("resize the pod's cgroup: %w", err)
	}
	if err := w.node.Runtime.UpdateContainerResources(ctx, c.ID, &runtimeapi.ContainerResources{Linux: linux}); err != nil {
		return fmt.Errorf("resize container %s: %w", c.Name, err)
	}
	w.actuated[c.ID] = m.Container.Resources
	return nil
}

// settle shrinks the pod's group to what is allocated, after every container has been resized.
func (w *worker) settle() error {
	limits := w.podLimits()
	if limits == w.limits {
		return nil
	}
	if err := w.node.Cgroups.Apply(w.node.Cgroups.PodPath(w.pod), limits); err != nil {
		return err
	}
	w.limits = limits
	return nil
}

func (w *worker) podLimits() cgroups.Limits {
	r := runtime.PodResources(w.pod)
	l := cgroups.Limits{Shares: r.CpuShares, Quota: r.CpuQuota, Period: r.CpuPeriod, Memory: r.MemoryLimitInBytes, Pids: w.node.PodPids}
	if l.Quota == 0 {
		l.Quota = cgroups.Unlimited
	}
	if l.Memory == 0 {
		l.Memory = cgroups.Unlimited
	}
	return l
}

func larger(a, b cgroups.Limits) cgroups.Limits {
	pick := func(x, y int64) int64 {
		if x == cgroups.Unlimited || y == cgroups.Unlimited {
			return cgroups.Unlimited
		}
		return max(x, y)
	}
	a.Shares, a.Quota, a.Memory = max(a.Shares, b.Shares), pick(a.Quota, b.Quota), pick(a.Memory, b.Memory)
	return a
}

// resizeConditions are shown while a resize waits or is under way.
func (w *worker) resizeConditions() []corev1.PodCondition {
	var all []corev1.PodCondition
	add := func(kind corev1.PodConditionType, reason, message string) {
		all = append(all, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, ObservedGeneration: w.pod.Generation,
			LastTransitionTime: metav1.Now().Rfc3339Copy()})
	}
	if w.pending != nil {
		add(corev1.PodResizePending, w.pending.Reason, w.pending.Message)
	}
	switch {
	case w.resizeError != "":
		add(corev1.PodResizeInProgress, "Error", w.resizeError)
	case w.resizing():
		add(corev1.PodResizeInProgress, "", "")
	}
	return all
}

// resizing is true while some running container has other resources than were allocated.
func (w *worker) resizing() bool {
	for _, m := range podinfo.Members(w.pod) {
		c := w.observed.Latest(m.Container.Name)
		if c == nil || c.State != runtime.Running {
			continue
		}
		if had, ok := w.actuated[c.ID]; ok && changeBetween(had, m.Container) != unchanged {
			return true
		}
	}
	return false
}
