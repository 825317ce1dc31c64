package scene

import (
	"context"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/retry"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// App labels the pods of a workload and selects them.
func App(name string) map[string]string { return map[string]string{"app": name} }

// template of echo pods.
func (s *Scene) template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: App(app)}, Spec: s.EchoSpec()}
}

// Deployment of echo pods, not yet created.
func (s *Scene) Deployment(name string, replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: App(name)}, Template: s.template(name)},
	}
}

// ReplicaSet of echo pods, not yet created.
func (s *Scene) ReplicaSet(name string, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: App(name)}, Template: s.template(name)},
	}
}

// DaemonSet of echo pods, not yet created.
func (s *Scene) DaemonSet(name string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: App(name)}, Template: s.template(name)},
	}
}

// Deploy creates a Deployment and waits until all its pods are available.
func (s *Scene) Deploy(ctx context.Context, d *appsv1.Deployment) *appsv1.Deployment {
	created, err := s.API.AppsV1().Deployments(s.Namespace).Create(ctx, d, metav1.CreateOptions{})
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred(), "create Deployment %s", d.Name)
	return s.WaitRolledOut(ctx, created.Name)
}

// WaitRolledOut returns the Deployment once all its pods are of its newest template and available.
func (s *Scene) WaitRolledOut(ctx context.Context, name string) *appsv1.Deployment {
	var d *appsv1.Deployment
	gomega.EventuallyWithOffset(1, ctx, func(ctx context.Context) (err error) {
		if d, err = s.API.AppsV1().Deployments(s.Namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		st, want := d.Status, *d.Spec.Replicas
		if st.ObservedGeneration < d.Generation || st.UpdatedReplicas != want || st.AvailableReplicas != want || st.Replicas != want {
			return fmt.Errorf("Deployment %s: %d pods, %d updated, %d available of %d", name, st.Replicas, st.UpdatedReplicas, st.AvailableReplicas, want)
		}
		return nil
	}).WithTimeout(budget.Rollout.Limit()).WithPolling(target.Poll).Should(gomega.Succeed())
	return d
}

// Scale asks for so many pods of a Deployment, through its scale.
func (s *Scene) Scale(ctx context.Context, name string, replicas int32) {
	ginkgo.GinkgoHelper()
	deployments := s.API.AppsV1().Deployments(s.Namespace)
	gomega.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		scale, err := deployments.GetScale(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = replicas
		_, err = deployments.UpdateScale(ctx, name, scale, metav1.UpdateOptions{})
		return err
	})).To(gomega.Succeed(), "scale Deployment %s to %d", name, replicas)
}

// PodsOf lists the pods of an app that are not being deleted.
func (s *Scene) PodsOf(ctx context.Context, app string) []corev1.Pod {
	list, err := s.API.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred(), "list pods of %s", app)
	var live []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			live = append(live, p)
		}
	}
	return live
}

// Expose creates a Service of port 80 before the echo pods of an app.
func (s *Scene) Expose(ctx context.Context, app string, alter ...func(*corev1.ServiceSpec)) *corev1.Service {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app}, Spec: corev1.ServiceSpec{
		Selector: App(app), Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(EchoPort)}},
	}}
	for _, a := range alter {
		a(&service.Spec)
	}
	created, err := s.API.CoreV1().Services(s.Namespace).Create(ctx, service, metav1.CreateOptions{})
	gomega.ExpectWithOffset(1, err).NotTo(gomega.HaveOccurred(), "create Service %s", app)
	return created
}

// Endpoints are the names of the pods that the EndpointSlices of a Service hold, ready or not.
func (s *Scene) Endpoints(ctx context.Context, service string) (pods []string, err error) {
	list, err := s.API.DiscoveryV1().EndpointSlices(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, err
	}
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			if e.TargetRef != nil {
				pods = append(pods, e.TargetRef.Name)
			}
		}
	}
	return pods, nil
}
