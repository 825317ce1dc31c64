package rules

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// Image sizes between which a node's images are worth something, in bytes per container.
const (
	smallestImage = 23 << 20
	largestImage  = 1000 << 20
)

// imageLocality likes nodes that have the pod's images already, the more so the larger they are and the more nodes have them.
func imageLocality() *Rule {
	return &Rule{
		Name: "ImageLocality",
		Score: func(p *state.Pod, s *state.State) *Score {
			spread := map[string]int64{}
			names := imageNames(&p.Spec)
			for _, name := range names {
				for _, n := range s.Nodes() {
					if _, ok := n.Images[name]; ok {
						spread[name]++
					}
				}
			}
			if len(spread) == 0 {
				return nil
			}
			nodes := int64(len(s.Nodes()))
			return &Score{Weight: 1, Of: func(n *state.Node) int64 {
				var sum int64
				for _, name := range names {
					sum += n.Images[name] * spread[name] / nodes
				}
				return imageScore(sum, int64(len(names)))
			}}
		},
	}
}

func imageScore(sum, containers int64) int64 {
	low, high := int64(smallestImage), largestImage*containers
	sum = min(max(sum, low), high)
	return MaxScore * (sum - low) / (high - low)
}

func imageNames(spec *corev1.PodSpec) []string {
	var names []string
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			names = append(names, withTag(containers[i].Image))
		}
	}
	return names
}

// withTag adds :latest where a reference has neither tag nor digest, as nodes report it.
func withTag(image string) string {
	if strings.LastIndex(image, ":") <= strings.LastIndex(image, "/") {
		return image + ":latest"
	}
	return image
}
