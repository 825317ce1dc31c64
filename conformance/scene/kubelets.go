package scene

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// AskNode sends a GET to a node's kubelet, through the apiserver.
func (s *Scene) AskNode(ctx context.Context, node, path string) (string, error) {
	body, err := s.API.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix(path).DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the kubelet of %s for %s: %w: %s", node, path, err, body)
	}
	return string(body), nil
}

// KubeletOf is where a node's kubelet answers.
func (s *Scene) KubeletOf(node string) string {
	ginkgo.GinkgoHelper()
	found, err := cluster.Find(s.Cluster.Nodes(), node)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return found.Kubelet()
}

// Kubelet is what a kubelet was configured to do, as far as specs depend on it.
type Kubelet struct {
	StaticPodPath       string `json:"staticPodPath"`
	ContainerLogMaxSize string `json:"containerLogMaxSize"`
}

// Kubelet asks a node's kubelet how it is configured. Where it does not tell, what depends on it cannot be witnessed.
func (s *Scene) Kubelet(ctx context.Context, node string) Kubelet {
	ginkgo.GinkgoHelper()
	answer, err := s.AskNode(ctx, node, "configz")
	if err != nil {
		Inconclusive("%v", err)
	}
	var shown struct {
		Config Kubelet `json:"kubeletconfig"`
	}
	if err := json.Unmarshal([]byte(answer), &shown); err != nil {
		Inconclusive("the configuration of the kubelet of %s: %v", node, err)
	}
	return shown.Config
}

// NodeFolder is where the pod of Reaching has the node's folder.
const NodeFolder = "/node"

// Reaching is an echo pod that reads and writes a folder of a node, not yet created.
func (s *Scene) Reaching(name, node, folder string) *corev1.Pod {
	pod := s.Echo(name, App(name))
	kind := corev1.HostPathDirectoryOrCreate
	pod.Spec.NodeName = node
	pod.Spec.Volumes = []corev1.Volume{{Name: "node", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: folder, Type: &kind}}}}
	pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "node", MountPath: NodeFolder}}
	return pod
}
