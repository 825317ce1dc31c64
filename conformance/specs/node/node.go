// Package node is the profile of what a node does with a pod that it was given: start it in order, keep it alive, confine it, show it, and end it.
//
// Its pods run the echo fixture, which shows its own files and environment, and note, which keeps the order of what several containers did. Nothing
// here needs control over a node; what depends on how its kubelet is configured asks the kubelet, through the apiserver.
package node

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// Declare tells Ginkgo the profile's specs.
func Declare() {
	ginkgo.Describe("node", ginkgo.Label("node"), func() {
		declareOrder()
		declareProbes()
		declareEnvironment()
		declareVolumes()
		declareEnding()
		declareRestarts()
		declareConfinement()
		declareMemory()
		declareLogs()
		declareStreams()
		declareImages()
		declareNames()
		declareStatic()
		declareSessions()
		declareLimits()
		declareRotation()
		declareMeasures()
	})
}

// secondPort is where the second echo container of a pod listens.
const secondPort = scene.EchoPort + 1

// second is an echo container beside the first: it listens on secondPort.
func second(s *scene.Scene, name string) corev1.Container {
	return corev1.Container{
		Name: name, Image: s.Image("echo"), Args: []string{"--listen=:8081"},
		ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: httpAt(secondPort, "/healthz")},
	}
}

// noter is a container that runs note.
func noter(s *scene.Scene, name string, args ...string) corev1.Container {
	return corev1.Container{Name: name, Image: s.Image("echo"), Command: append([]string{"/note"}, args...), VolumeMounts: shared()}
}

func httpAt(port int32, path string) corev1.ProbeHandler {
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(port)}}
}

// shared mounts the pod's volume "shared".
func shared() []corev1.VolumeMount {
	return []corev1.VolumeMount{{Name: "shared", MountPath: "/shared"}}
}

// emptyShared is that volume.
func emptyShared() corev1.Volume {
	return corev1.Volume{Name: "shared", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// podOf is a pod of the given containers with a shared volume and a short grace period.
func podOf(s *scene.Scene, name string, containers ...corev1.Container) *corev1.Pod {
	pod := s.Echo(name, scene.App(name))
	pod.Spec.Containers, pod.Spec.Volumes = containers, []corev1.Volume{emptyShared()}
	return pod
}

// tell has the echo fixture do something: fail, recover, exit.
func tell(ctx context.Context, s *scene.Scene, pod string, port int, path string) {
	ginkgo.GinkgoHelper()
	_, err := s.Ask(ctx, pod, port, path)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "ask pod %s for %s", pod, path)
}

// file waits for the content of a file in a pod.
func file(ctx context.Context, s *scene.Scene, pod string, port int, name string) gomega.AsyncAssertion {
	return gomega.Eventually(ctx, func(ctx context.Context) (string, error) { return s.ReadFile(ctx, pod, port, name) }).
		WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll)
}
