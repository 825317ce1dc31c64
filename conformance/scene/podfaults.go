package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/fault"
)

// Exit has the process of an echo pod end at once, as a crash does. The pod is not to restart it; it does not come back.
func (s *Scene) Exit(pod string) fault.Fault {
	gone := func(ctx context.Context) (string, error) {
		found, err := s.API.CoreV1().Pods(s.Namespace).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		ended := Status(found, "echo").State.Terminated
		if ended == nil {
			return "", fmt.Errorf("its container runs")
		}
		return fmt.Sprintf("its container ended with %d", ended.ExitCode), nil
	}
	return fault.Fault{
		Name: "crash pod " + pod,
		Inject: func(ctx context.Context) error {
			if answer, err := s.Ask(ctx, pod, EchoPort, "/exit?code=1"); err == nil {
				return fmt.Errorf("it lives and answers %q", answer)
			}
			return nil // whoever ends at once does not answer
		},
		Witness: gone, Healed: gone,
	}
}

// KillPod ends a pod of any namespace without grace. process is what its container runs, and is looked for on the pod's node. Healing is to see that
// as many pods of the selector are Ready as were before.
func (s *Scene) KillPod(pod *corev1.Pod, process, selector string) fault.Fault {
	pods, control := s.API.CoreV1().Pods(pod.Namespace), s.Control()
	var before []int
	ready := 0
	return fault.Fault{
		Name: "kill pod " + pod.Name,
		Setup: func(ctx context.Context) (err error) {
			if ready, err = s.readyOf(ctx, pod.Namespace, selector); err != nil {
				return err
			}
			before, err = control.Processes(ctx, pod.Spec.NodeName, process)
			if err == nil && len(before) == 0 {
				err = fmt.Errorf("no %s runs on %s", process, pod.Spec.NodeName)
			}
			return err
		},
		Inject: func(ctx context.Context) error {
			now := int64(0)
			return pods.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		},
		Witness: func(ctx context.Context) (string, error) {
			if _, err := pods.Get(ctx, pod.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				return "", fmt.Errorf("the pod is still there (%w)", orFound(err))
			}
			left, err := control.Processes(ctx, pod.Spec.NodeName, process)
			if err != nil {
				return "", err
			}
			dead := slices.DeleteFunc(slices.Clone(before), func(pid int) bool { return slices.Contains(left, pid) })
			if len(dead) == 0 {
				return "", fmt.Errorf("pids %v still run", before)
			}
			return fmt.Sprintf("it is gone, and pids %v of %s with it", dead, process), nil
		},
		Healed: func(ctx context.Context) (string, error) {
			now, err := s.readyOf(ctx, pod.Namespace, selector)
			if err == nil && now < ready {
				err = fmt.Errorf("%d of %d are Ready", now, ready)
			}
			return fmt.Sprintf("%d are Ready", now), err
		},
	}
}

func orFound(err error) error {
	if err == nil {
		return errors.New("found")
	}
	return err
}

// readyOf counts the Ready pods that a selector picks.
func (s *Scene) readyOf(ctx context.Context, namespace, selector string) (ready int, err error) {
	list, err := s.API.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return 0, err
	}
	return len(Serving(list.Items)), nil
}

// Serving are the pods that are Ready and not ending.
func Serving(pods []corev1.Pod) (serving []corev1.Pod) {
	for _, p := range pods {
		if p.DeletionTimestamp == nil && IsReady(&p) {
			serving = append(serving, p)
		}
	}
	return serving
}
