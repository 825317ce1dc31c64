package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// EchoPort is where the echo fixture listens.
const EchoPort = 8080

// EchoSpec is a pod that runs the echo fixture: it answers its name, dials others for us, and stops gracefully.
func (s *Scene) EchoSpec() corev1.PodSpec {
	zero := int64(1)
	return corev1.PodSpec{
		TerminationGracePeriodSeconds: &zero,
		Containers: []corev1.Container{{
			Name: "echo", Image: s.Image("echo"), Ports: []corev1.ContainerPort{{ContainerPort: EchoPort}},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: httpGet("/healthz")}},
		}},
	}
}

// Echo is a pod of the echo fixture, not yet created.
func (s *Scene) Echo(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: s.EchoSpec()}
}

// Run creates a pod and waits until it is Ready.
func (s *Scene) Run(ctx context.Context, pod *corev1.Pod) *corev1.Pod {
	created, err := s.API.CoreV1().Pods(s.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred(), "create pod %s", pod.Name)
	return s.WaitReady(ctx, created.Name)
}

// WaitReady returns the pod once it is Ready.
func (s *Scene) WaitReady(ctx context.Context, name string) *corev1.Pod {
	var pod *corev1.Pod
	gomega.EventuallyWithOffset(1, ctx, func(ctx context.Context) (err error) {
		pod, err = s.API.CoreV1().Pods(s.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if !IsReady(pod) {
			return fmt.Errorf("pod %s is %s, not Ready", name, pod.Status.Phase)
		}
		return nil
	}).WithTimeout(budget.PodStart.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	return pod
}

// IsReady tells whether a pod has the condition Ready.
func IsReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Dialled is what the echo fixture's /dial answers: the outcome of a GET that the pod made.
type Dialled struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error"`
}

// Dial has a running echo pod send one GET to a URL, through the apiserver's pod proxy; a new connection each time.
func (s *Scene) Dial(ctx context.Context, from, to string) (Dialled, error) {
	var d Dialled
	body, err := s.API.CoreV1().Pods(s.Namespace).ProxyGet("http", from, strconv.Itoa(EchoPort), "dial", map[string]string{"url": to}).DoRaw(ctx)
	if err != nil {
		return d, fmt.Errorf("ask pod %s to dial %s: %w", from, to, err)
	}
	return d, json.Unmarshal(body, &d)
}

// Names dials a URL's /hostname n times and counts who answered; an unanswered call counts as its error.
func (s *Scene) Names(ctx context.Context, from, base string, n int) (map[string]int, error) {
	counts := map[string]int{}
	target, err := url.JoinPath(base, "hostname")
	if err != nil {
		return nil, err
	}
	for range n {
		d, err := s.Dial(ctx, from, target)
		switch {
		case err != nil:
			return counts, err
		case d.Error != "":
			counts["error: "+d.Error]++
		default:
			counts[d.Body]++
		}
	}
	return counts, nil
}
