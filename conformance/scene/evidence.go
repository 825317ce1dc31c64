package scene

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// keepEvidence records the namespace's pods and events when the spec failed.
func (s *Scene) keepEvidence(ctx context.Context) {
	if !ginkgo.CurrentSpecReport().Failed() {
		return
	}
	Record("pods", "%s", s.describePods(ctx))
	Record("events", "%s", s.describeEvents(ctx))
}

func (s *Scene) describePods(ctx context.Context) string {
	pods, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, p := range pods.Items {
		p.ManagedFields = nil
		out, err := yaml.Marshal(p)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&text, "--- %s\n%s", p.Name, out)
	}
	return text.String()
}

func (s *Scene) describeEvents(ctx context.Context) string {
	events, err := s.API.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, e := range events.Items {
		fmt.Fprintf(&text, "%s %s %s/%s %s: %s\n", e.LastTimestamp.Format("15:04:05"), e.Type, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
	return text.String()
}
