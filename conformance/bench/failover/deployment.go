package failover

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// step is how often the bench looks for what it waits for, and tries again what was refused.
	step = 20 * time.Millisecond
	// callTimeout bounds one question: one that a dead node was asked is asked anew.
	callTimeout = time.Second
)

// placing is how long after the fault a new Deployment had each of its parts.
type placing struct{ accepted, replicaSet, placed time.Duration }

// deploy creates a Deployment of one pod and follows it until the pod has a node. Times count from a moment.
func deploy(ctx context.Context, client kubernetes.Interface, namespace, name, image string, from time.Time) (p placing, err error) {
	wanted := deployment(name, image)
	for _, part := range []struct {
		what string
		took *time.Duration
		done func(context.Context) (bool, error)
	}{
		{"the Deployment", &p.accepted, func(ctx context.Context) (bool, error) {
			_, err := client.AppsV1().Deployments(namespace).Create(ctx, wanted, metav1.CreateOptions{})
			return err == nil || apierrors.IsAlreadyExists(err), err
		}},
		{"its ReplicaSet", &p.replicaSet, func(ctx context.Context) (bool, error) {
			sets, err := client.AppsV1().ReplicaSets(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
			return err == nil && len(sets.Items) > 0, err
		}},
		{"a node for its pod", &p.placed, func(ctx context.Context) (bool, error) {
			pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
			return err == nil && len(pods.Items) > 0 && pods.Items[0].Spec.NodeName != "", err
		}},
	} {
		if err := until(ctx, part.done); err != nil {
			return p, fmt.Errorf("%s %s: %w", part.what, name, err)
		}
		*part.took = time.Since(from)
	}
	return p, nil
}

// until asks again and again until it is done; the error is the last one when ctx ends before.
func until(ctx context.Context, done func(context.Context) (bool, error)) error {
	return ask(ctx, step, callTimeout, done)
}

// ask asks every so often, each time for at most a limit.
func ask(ctx context.Context, every, limit time.Duration, done func(context.Context) (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		call, cancel := context.WithTimeout(ctx, limit)
		ok, err := done(call)
		cancel()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in time: %w (%v)", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// deployment is one pod that does nothing and may run anywhere: a shape without workers will do.
func deployment(name, image string) *appsv1.Deployment {
	labels, none := map[string]string{"app": name}, int64(0)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: &none,
					Tolerations:                   []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
					Containers:                    []corev1.Container{{Name: "c", Image: image}},
				},
			},
		},
	}
}
