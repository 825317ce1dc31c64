package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// starts is how many pods are started one after another in a round.
const starts = 20

// podStart measures from the request that creates a pod to the watch event that shows it ready.
func podStart(ctx context.Context, cfg Config, s *side) (sample, error) {
	var took []float64
	err := s.in(ctx, func(namespace string) error {
		// The first pod of a node pulls the image: it does not count.
		for i := range max(starts/cfg.Scale, 3) {
			d, err := s.startOne(ctx, cfg, namespace, fmt.Sprint("pod-", i))
			if err != nil {
				return err
			}
			if i > 1 {
				took = append(took, d.Seconds()*1000)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(took)
	return sample{
		{name: "pod create -> Ready, median", unit: "ms", goal: goal{atMost: 1}, order: 50}: took[len(took)/2],
		{name: "pod create -> Ready, worst", unit: "ms", order: 51}:                         took[len(took)-1],
	}, nil
}

func (s *side) startOne(ctx context.Context, cfg Config, namespace, name string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pods := s.client.CoreV1().Pods(namespace)
	w, err := pods.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return 0, err
	}
	defer w.Stop()
	begun := time.Now()
	if _, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: podSpec(cfg)}, metav1.CreateOptions{}); err != nil {
		return 0, err
	}
	for event := range w.ResultChan() {
		if pod, ok := event.Object.(*corev1.Pod); ok && ready(pod) {
			return time.Since(begun), pods.Delete(ctx, name, metav1.DeleteOptions{})
		}
	}
	return 0, fmt.Errorf("pod %s: not ready within %v", name, patience)
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
