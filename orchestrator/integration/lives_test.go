package integration

import (
	"context"
	"fmt"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// lives drives the workloads: it makes them, changes them, and knows what must be there in the end.
type lives struct {
	client    kubernetes.Interface
	namespace string
	// replicas of each Deployment, completions of each Job, and the bare pods that were not deleted, as last asked for.
	replicas    map[string]int32
	completions map[string]int32
	bare        map[string]bool
}

func newLives(ctx context.Context, t *testing.T, client kubernetes.Interface, namespace string) *lives {
	t.Helper()
	if _, err := client.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: namespace}}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the service account of a new namespace", func() (bool, string) {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", meta.GetOptions{})
		return err == nil, fmt.Sprint(err)
	})
	return &lives{client: client, namespace: namespace, replicas: map[string]int32{}, completions: map[string]int32{}, bare: map[string]bool{}}
}

// template is a pod of one container that asks for a little.
func template(app string, policy core.RestartPolicy) core.PodTemplateSpec {
	grace := int64(1)
	return core.PodTemplateSpec{
		ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec: core.PodSpec{RestartPolicy: policy, TerminationGracePeriodSeconds: &grace, Containers: []core.Container{{
			Name: "c", Image: "none", Resources: core.ResourceRequirements{Requests: core.ResourceList{core.ResourceCPU: resource.MustParse("10m")}},
		}}},
	}
}

func (l *lives) deploy(ctx context.Context, t *testing.T, name string, replicas int32) {
	t.Helper()
	_, err := l.client.AppsV1().Deployments(l.namespace).Create(ctx, &apps.Deployment{
		ObjectMeta: meta.ObjectMeta{Name: name},
		Spec: apps.DeploymentSpec{
			Replicas: &replicas, Selector: &meta.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: template(name, core.RestartPolicyAlways),
		},
	}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.replicas[name] = replicas
}

func (l *lives) scale(ctx context.Context, t *testing.T, name string, replicas int32) {
	t.Helper()
	l.patch(ctx, t, name, fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
	l.replicas[name] = replicas
}

// roll replaces every pod of a Deployment.
func (l *lives) roll(ctx context.Context, t *testing.T, name, revision string) {
	t.Helper()
	l.patch(ctx, t, name, fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"revision":%q}}}}}`, revision))
}

func (l *lives) patch(ctx context.Context, t *testing.T, name, patch string) {
	t.Helper()
	if _, err := l.client.AppsV1().Deployments(l.namespace).Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), meta.PatchOptions{}); err != nil {
		t.Fatalf("patch deployment %s: %v", name, err)
	}
}

func (l *lives) job(ctx context.Context, t *testing.T, name string, completions, parallelism int32) {
	t.Helper()
	_, err := l.client.BatchV1().Jobs(l.namespace).Create(ctx, &batch.Job{
		ObjectMeta: meta.ObjectMeta{Name: name},
		Spec:       batch.JobSpec{Completions: &completions, Parallelism: &parallelism, Template: template(name, core.RestartPolicyNever)},
	}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.completions[name] = completions
}

// pod makes a bare pod that ends by itself.
func (l *lives) pod(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	made := template("bare", core.RestartPolicyNever)
	_, err := l.client.CoreV1().Pods(l.namespace).Create(ctx, &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: made.Labels}, Spec: made.Spec,
	}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.bare[name] = true
}

// remove deletes a bare pod, wherever it is in its life.
func (l *lives) remove(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	if err := l.client.CoreV1().Pods(l.namespace).Delete(ctx, name, meta.DeleteOptions{}); err != nil {
		t.Fatalf("delete pod %s: %v", name, err)
	}
	delete(l.bare, name)
}

// settle waits until everything is as it was asked for.
func (l *lives) settle(ctx context.Context, t *testing.T) {
	t.Helper()
	eventually(ctx, t, "everything is as asked for", func() (bool, string) {
		wrong, err := l.wrong(ctx)
		if err != nil {
			return false, err.Error()
		}
		return len(wrong) == 0, fmt.Sprint(wrong)
	})
}

// wrong is what is not (yet) as asked for.
func (l *lives) wrong(ctx context.Context) (wrong []string, err error) {
	pods, err := l.client.CoreV1().Pods(l.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	running, succeeded := map[string]int32{}, map[string]int32{}
	for _, p := range pods.Items {
		app := p.Labels["app"]
		switch {
		case p.DeletionTimestamp != nil:
			wrong = append(wrong, p.Name+" is ending")
		case p.Status.Phase == core.PodRunning && p.Spec.RestartPolicy == core.RestartPolicyAlways:
			running[app]++
		case p.Status.Phase == core.PodSucceeded && len(p.Finalizers) == 0:
			succeeded[app]++
		default:
			wrong = append(wrong, fmt.Sprintf("%s is %s on %q with %v", p.Name, p.Status.Phase, p.Spec.NodeName, p.Finalizers))
		}
	}
	for name, want := range l.replicas {
		if running[name] != want {
			wrong = append(wrong, fmt.Sprintf("deployment %s: %d of %d pods run", name, running[name], want))
		}
	}
	if int(succeeded["bare"]) != len(l.bare) {
		wrong = append(wrong, fmt.Sprintf("%d of %d bare pods ended", succeeded["bare"], len(l.bare)))
	}
	owners, err := l.wrongOwners(ctx, succeeded)
	return append(wrong, owners...), err
}

// wrongOwners compares what Deployments, ReplicaSets and Jobs say of themselves.
func (l *lives) wrongOwners(ctx context.Context, succeeded map[string]int32) (wrong []string, err error) {
	jobs, err := l.client.BatchV1().Jobs(l.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	if len(jobs.Items) != len(l.completions) {
		wrong = append(wrong, fmt.Sprintf("%d of %d jobs", len(jobs.Items), len(l.completions)))
	}
	for _, j := range jobs.Items {
		if want := l.completions[j.Name]; j.Status.Succeeded != want || succeeded[j.Name] != want || j.Status.CompletionTime == nil || j.Status.Active != 0 {
			wrong = append(wrong, fmt.Sprintf("job %s: %d counted and %d pods of %d", j.Name, j.Status.Succeeded, succeeded[j.Name], want))
		}
	}
	sets, err := l.client.AppsV1().ReplicaSets(l.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	replicas := map[string]int32{}
	for _, s := range sets.Items {
		if s.Status.Replicas != *s.Spec.Replicas || s.Status.ReadyReplicas != *s.Spec.Replicas {
			wrong = append(wrong, fmt.Sprintf("replicaset %s: %d of %d", s.Name, s.Status.Replicas, *s.Spec.Replicas))
		}
		replicas[s.Labels["app"]] += *s.Spec.Replicas
	}
	deployments, err := l.client.AppsV1().Deployments(l.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, d := range deployments.Items {
		if want := l.replicas[d.Name]; replicas[d.Name] != want || d.Status.ReadyReplicas != want || d.Status.UpdatedReplicas != want || d.Status.ObservedGeneration != d.Generation {
			wrong = append(wrong, fmt.Sprintf("deployment %s: %+v, want %d", d.Name, d.Status, want))
		}
	}
	return wrong, nil
}
