package runtime

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Scheduler units of the kernel: weight per CPU, period and least quota in microseconds.
const (
	sharesPerCPU = 1024
	minShares    = 2
	maxShares    = 262144
	quotaPeriod  = 100000
	minQuota     = 1000
)

// Shares is the cgroup v1 weight of a CPU request.
func Shares(cpu resource.Quantity) int64 {
	if cpu.IsZero() {
		return minShares
	}
	return min(max(cpu.MilliValue()*sharesPerCPU/1000, minShares), maxShares)
}

// Quota is the CFS quota of a CPU limit, 0 without one.
func Quota(cpu resource.Quantity) int64 {
	if cpu.IsZero() {
		return 0
	}
	return max(cpu.MilliValue()*quotaPeriod/1000, minQuota)
}

// PodResources are a whole pod's, for the sandbox and the pod's cgroup.
func PodResources(pod *corev1.Pod) *runtimeapi.LinuxContainerResources {
	r := &runtimeapi.LinuxContainerResources{CpuPeriod: quotaPeriod, CpuShares: Shares(PodCPU(pod))}
	if cpu, all := limitOfAll(pod, corev1.ResourceCPU); all {
		r.CpuQuota = Quota(cpu)
	}
	if memory, all := limitOfAll(pod, corev1.ResourceMemory); all {
		r.MemoryLimitInBytes = memory.Value()
	}
	return r
}

// PodCPU is the request, or the limit where nothing is requested.
func PodCPU(pod *corev1.Pod) resource.Quantity { return podinfo.Requests(pod, corev1.ResourceCPU) }

// limitOfAll is the pod's limit if every container has one: with one unlimited container the pod is unlimited.
func limitOfAll(pod *corev1.Pod, name corev1.ResourceName) (resource.Quantity, bool) {
	if pod.Spec.Resources != nil {
		if q, ok := pod.Spec.Resources.Limits[name]; ok {
			return q, true
		}
	}
	for _, m := range podinfo.Members(pod) {
		if q := m.Container.Resources.Limits[name]; m.Sort != podinfo.Ephemeral && q.IsZero() {
			return resource.Quantity{}, false
		}
	}
	return podinfo.Limits(pod, name), true
}

func overhead(pod *corev1.Pod) *runtimeapi.LinuxContainerResources {
	o := &runtimeapi.LinuxContainerResources{}
	if cpu, ok := pod.Spec.Overhead[corev1.ResourceCPU]; ok {
		o.CpuPeriod, o.CpuShares, o.CpuQuota = quotaPeriod, Shares(cpu), Quota(cpu)
	}
	if memory, ok := pod.Spec.Overhead[corev1.ResourceMemory]; ok {
		o.MemoryLimitInBytes = memory.Value()
	}
	return o
}

// ContainerResources translates a container's requests and limits. memory is the node's capacity in bytes.
func ContainerResources(pod *corev1.Pod, c *corev1.Container, memory int64, cfsQuota bool) *runtimeapi.LinuxContainerResources {
	request, hasRequest := c.Resources.Requests[corev1.ResourceCPU]
	limit := c.Resources.Limits[corev1.ResourceCPU]
	if !hasRequest {
		request = limit
	}
	limits := c.Resources.Limits[corev1.ResourceMemory]
	r := &runtimeapi.LinuxContainerResources{
		CpuPeriod: quotaPeriod, CpuShares: Shares(request), MemoryLimitInBytes: limits.Value(),
		OomScoreAdj:    OOMScore(pod, c, memory),
		HugepageLimits: hugepages(c),
	}
	if cfsQuota {
		r.CpuQuota = Quota(limit)
	}
	return r
}

// OOMScore is the adjustment of "Node out of memory behavior": the larger the share of memory that a container asked for, the later it is killed.
func OOMScore(pod *corev1.Pod, c *corev1.Container, capacity int64) int64 {
	const guaranteed, bestEffort = -997, 1000
	if pod.Spec.Priority != nil && *pod.Spec.Priority >= 2000000000 {
		return guaranteed // node-critical
	}
	switch podinfo.QOS(pod) {
	case corev1.PodQOSGuaranteed:
		return guaranteed
	case corev1.PodQOSBestEffort:
		return bestEffort
	}
	if capacity <= 0 {
		return bestEffort - 1
	}
	request := c.Resources.Requests[corev1.ResourceMemory]
	score := int64(math.Trunc(1000 - 1000*float64(request.Value())/float64(capacity)))
	return min(max(score, 1000+guaranteed), bestEffort-1)
}

// hugepages limits both page sizes of this architecture, to nothing where the container asks for none.
func hugepages(c *corev1.Container) []*runtimeapi.HugepageLimit {
	var all []*runtimeapi.HugepageLimit
	for _, size := range []struct{ name, page string }{{"2Mi", "2MB"}, {"1Gi", "1GB"}} {
		q := c.Resources.Limits[corev1.ResourceName(fmt.Sprintf("%s%s", corev1.ResourceHugePagesPrefix, size.name))]
		all = append(all, &runtimeapi.HugepageLimit{PageSize: size.page, Limit: uint64(q.Value())})
	}
	return all
}
