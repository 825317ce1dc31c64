package node

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareLimits() {
	It("evicts a pod that fills an emptyDir beyond its limit, and has the kernel refuse it in memory", Label("NODE-026"), func(ctx SpecContext) {
		s := scene.New(ctx)
		limited := func(name string, medium corev1.StorageMedium) *corev1.Pod {
			pod := podOf(s, name, s.EchoSpec().Containers[0])
			killed(pod)
			pod.Spec.Containers[0].VolumeMounts = shared()
			limit := resource.MustParse("1Mi")
			pod.Spec.Volumes[0].EmptyDir = &corev1.EmptyDirVolumeSource{SizeLimit: &limit, Medium: medium}
			return pod
		}
		for _, pod := range []*corev1.Pod{limited("full", ""), limited("within", ""), limited("memory", corev1.StorageMediumMemory)} {
			s.Create(ctx, pod)
		}
		for _, name := range []string{"full", "within", "memory"} {
			s.WaitReady(ctx, name)
		}
		fill(ctx, s, "within", "/shared/half", 512)
		fill(ctx, s, "memory", "/shared/most", 768)
		Expect(s.WriteFile(ctx, "memory", scene.EchoPort, "/shared/more", content(512))).To(MatchError(ContainSubstring("no space left")))
		fill(ctx, s, "full", "/shared/one", 768)
		fill(ctx, s, "full", "/shared/two", 768)
		evicted(ctx, s, "full")
		untouched(ctx, s, "within")
		untouched(ctx, s, "memory")
	})

	It("evicts a pod that uses more local storage than one of its containers, or all together, may", Label("NODE-027"), func(ctx SpecContext) {
		s := scene.New(ctx)
		limited := func(name, own, others string) *corev1.Pod {
			pod := podOf(s, name, s.EchoSpec().Containers[0], second(s, "other"))
			killed(pod)
			for i, limit := range []string{own, others} {
				pod.Spec.Containers[i].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse(limit)}
			}
			pod.Spec.Containers[0].VolumeMounts = shared()
			return pod
		}
		all := []*corev1.Pod{limited("layer", "1Mi", "8Mi"), limited("log", "1Mi", "8Mi"), limited("total", "1Mi", "1Mi"), limited("within", "4Mi", "4Mi")}
		for _, pod := range all {
			s.Create(ctx, pod)
		}
		for _, pod := range all {
			s.WaitReady(ctx, pod.Name)
		}
		// Only the last of a pod's files is too much: a pod that is ended meanwhile would not take it.
		for _, name := range []string{"layer", "within"} {
			fill(ctx, s, name, "/tmp/one", 768)
			fill(ctx, s, name, "/tmp/two", 768)
		}
		for n := range 3 {
			fill(ctx, s, "total", fmt.Sprintf("/shared/%d", n), 768)
		}
		for range 24 {
			tell(ctx, s, "log", scene.EchoPort, "/say?text="+content(64))
		}
		for _, name := range []string{"layer", "log", "total"} {
			evicted(ctx, s, name)
		}
		untouched(ctx, s, "within")
	})
}

// killed has the containers of a pod wait for SIGKILL: one that ends well on SIGTERM makes an evicted pod Succeeded on stock.
func killed(pod *corev1.Pod) {
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].Args = append(pod.Spec.Containers[i].Args, "--ignore-sigterm")
	}
}

// content of a number of KiB.
func content(kib int) string { return strings.Repeat("0123456789abcdef", kib<<10/16) }

func fill(ctx context.Context, s *scene.Scene, pod, file string, kib int) {
	GinkgoHelper()
	Expect(s.WriteFile(ctx, pod, scene.EchoPort, file, content(kib))).To(Succeed(), "fill %s in pod %s", file, pod)
}

func evicted(ctx context.Context, s *scene.Scene, name string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) string {
		status := s.Pod(ctx, name).Status
		return fmt.Sprintf("%s %s", status.Phase, status.Reason)
	}).WithTimeout(budget.UseNoticed.Limit()).WithPolling(target.Poll).Should(Equal("Failed Evicted"), "pod %s", name)
	scene.Record("eviction", "pod %s: %s", name, s.Pod(ctx, name).Status.Message)
}

// untouched expects that a pod runs as it did.
func untouched(ctx context.Context, s *scene.Scene, name string) {
	GinkgoHelper()
	pod := s.Pod(ctx, name)
	Expect(scene.IsReady(pod)).To(BeTrue(), "pod %s is %s: %s", name, pod.Status.Phase, pod.Status.Message)
	Expect(scene.Status(pod, "echo").RestartCount).To(BeZero(), "restarts of pod %s", name)
}
