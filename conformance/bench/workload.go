package bench

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// The workload before memory is measured.
const (
	deployments = 4
	replicas    = 5
)

// step is how often the bench looks for what it waits for, patience how long it does.
const (
	step     = 200 * time.Millisecond
	patience = 5 * time.Minute
)

// work deploys, rolls and removes pods with their Services, so that memory is measured of a cluster that has been used.
func (s *side) work(ctx context.Context, cfg Config) error {
	return s.in(ctx, func(namespace string) error {
		for i := range deployments {
			if err := s.deploy(ctx, cfg, namespace, fmt.Sprint("app-", i)); err != nil {
				return err
			}
		}
		if err := s.rolledOut(ctx, namespace); err != nil {
			return err
		}
		for i := range deployments {
			patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"bench":"again"}}}}}`)
			if _, err := s.client.AppsV1().Deployments(namespace).Patch(ctx, fmt.Sprint("app-", i), types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
				return fmt.Errorf("roll: %w", err)
			}
		}
		return s.rolledOut(ctx, namespace)
	})
}

// in runs do in a namespace of its own and waits until that is gone again.
func (s *side) in(ctx context.Context, do func(namespace string) error) error {
	made, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "plumb-bench-"}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create a namespace: %w", err)
	}
	err = s.accountThere(ctx, made.Name)
	if err == nil {
		err = do(made.Name)
	}
	if gone := s.remove(context.WithoutCancel(ctx), made.Name); err == nil {
		err = gone
	}
	return err
}

// accountThere waits for what pods of a new namespace need.
func (s *side) accountThere(ctx context.Context, namespace string) error {
	err := wait.PollUntilContextTimeout(ctx, step, patience, true, func(ctx context.Context) (bool, error) {
		_, err := s.client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("no service account in namespace %s: %w", namespace, err)
	}
	return nil
}

func (s *side) remove(ctx context.Context, namespace string) error {
	err := s.client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
	if err == nil {
		err = wait.PollUntilContextTimeout(ctx, step, patience, true, func(ctx context.Context) (bool, error) {
			_, err := s.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
			return apierrors.IsNotFound(err), nil
		})
	}
	if err != nil {
		return fmt.Errorf("remove namespace %s: %w", namespace, err)
	}
	return nil
}

// podSpec is a pod that does nothing, on a worker.
func podSpec(cfg Config) corev1.PodSpec {
	none := int64(0)
	return corev1.PodSpec{TerminationGracePeriodSeconds: &none, Containers: []corev1.Container{{Name: "c", Image: cfg.Image}}}
}

func (s *side) deploy(ctx context.Context, cfg Config, namespace, name string) error {
	labels, n := map[string]string{"app": name}, int32(replicas)
	_, err := s.client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(cfg),
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create deployment: %w", err)
	}
	_, err = s.client.CoreV1().Services(namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create service: %w", err)
	}
	return nil
}

// rolledOut waits until every Deployment has all its pods ready and no others.
func (s *side) rolledOut(ctx context.Context, namespace string) error {
	err := wait.PollUntilContextTimeout(ctx, step, patience, true, func(ctx context.Context) (bool, error) {
		list, err := s.client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, nil
		}
		for _, d := range list.Items {
			st := d.Status
			if st.ObservedGeneration != d.Generation || st.UpdatedReplicas != replicas || st.Replicas != replicas || st.AvailableReplicas != replicas {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("deployments are not ready: %w", err)
	}
	return nil
}
