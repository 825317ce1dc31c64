package node

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareMemory() {
	It("kills the container that exceeds its memory limit, and no other", Label("NODE-014"), func(ctx SpecContext) {
		s := scene.New(ctx)
		pod := s.Echo("pair", nil)
		modest := second(s, "modest")
		pod.Spec.Containers = append(pod.Spec.Containers, modest)
		for i := range pod.Spec.Containers {
			pod.Spec.Containers[i].Resources.Limits = amounts("200m", "64Mi")
			pod.Spec.Containers[i].Resources.Requests = amounts("10m", "16Mi")
		}
		before := s.Run(ctx, pod)
		tell(ctx, s, "pair", secondPort, "/eat?mb=8")
		_, err := s.Ask(ctx, "pair", scene.EchoPort, "/eat?mb=128")
		Expect(err).To(HaveOccurred(), "twice the limit was held")
		after := s.WaitRestarted(ctx, "pair", "echo", 1)
		Expect(scene.Status(after, "echo").LastTerminationState.Terminated).To(And(HaveField("Reason", "OOMKilled"), HaveField("ExitCode", BeEquivalentTo(137))))
		Expect(scene.Status(after, "modest")).To(Equal(scene.Status(before, "modest")), "its neighbour was touched")
	})

	It("puts each pod into the class of service that its requests and limits make, and its limits into the kernel", Label("NODE-015"), func(ctx SpecContext) {
		s := scene.New(ctx)
		scores := map[corev1.PodQOSClass]int{}
		for class, resources := range map[corev1.PodQOSClass]corev1.ResourceRequirements{
			corev1.PodQOSGuaranteed: {Limits: amounts("100m", "64Mi")},
			corev1.PodQOSBurstable:  {Requests: amounts("10m", "16Mi"), Limits: amounts("200m", "96Mi")},
			corev1.PodQOSBestEffort: {},
		} {
			name := strings.ToLower(string(class))
			pod := s.Echo(name, nil)
			pod.Spec.Containers[0].Resources = resources
			Expect(s.Run(ctx, pod).Status.QOSClass).To(Equal(class))
			if limit, limited := resources.Limits[corev1.ResourceMemory]; limited {
				Expect(memoryLimit(ctx, s, name)).To(Equal(limit.Value()), "the memory limit of %s in its cgroup", name)
			} else {
				Expect(memoryLimit(ctx, s, name)).To(BeNumerically(">", 1<<40), "there is no memory limit")
			}
			score, err := s.ReadFile(ctx, name, scene.EchoPort, "/proc/self/oom_score_adj")
			Expect(err).NotTo(HaveOccurred())
			scores[class], err = strconv.Atoi(strings.TrimSpace(score))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(scores[corev1.PodQOSBestEffort]).To(Equal(1000), "the first to go when memory is short")
		Expect(scores[corev1.PodQOSBurstable]).To(And(BeNumerically(">", scores[corev1.PodQOSGuaranteed]), BeNumerically("<", 1000)))
	})
}

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

// memoryLimit is what the container's cgroup says, of version 2 or 1; "max" is the largest number.
func memoryLimit(ctx context.Context, s *scene.Scene, pod string) int64 {
	GinkgoHelper()
	var errs []error
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := s.ReadFile(ctx, pod, scene.EchoPort, file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if text = strings.TrimSpace(text); text == "max" {
			return 1<<63 - 1
		}
		limit, err := strconv.ParseInt(text, 10, 64)
		Expect(err).NotTo(HaveOccurred())
		return limit
	}
	Fail(fmt.Sprintf("pod %s shows no memory limit: %v", pod, errs))
	return 0
}
