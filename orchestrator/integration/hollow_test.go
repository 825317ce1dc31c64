package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// Paces of a hollow node.
const (
	heartbeat = 5 * time.Second
	// runs is how long a pod works that ends by itself.
	runs = 300 * time.Millisecond
)

// hollow is a node whose pods run in name only: it registers, beats, and drives the status of each pod bound to it as a kubelet does, with a
// kubelet's identity and rights.
type hollow struct {
	name    string
	index   int
	client  kubernetes.Interface
	census  *census
	queue   workqueue.TypedRateLimitingInterface[string]
	pods    cache.Indexer
	started map[types.UID]time.Time
}

// census is where all hollow nodes note which pods they ran. It is the witness that no pod ran on two nodes.
type census struct {
	mu   sync.Mutex
	ran  map[types.UID]string
	twos []string
}

func (c *census) note(pod *core.Pod, node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, ok := c.ran[pod.UID]; ok && other != node {
		c.twos = append(c.twos, fmt.Sprintf("%s/%s on %s and %s", pod.Namespace, pod.Name, other, node))
	}
	c.ran[pod.UID] = node
}

// newHollows starts every hollow node.
func newHollows(ctx context.Context, t *testing.T, p *plane, c *census) []*running {
	var all []*running
	for i := range hollowNodes {
		client, err := kubernetes.NewForConfig(p.config(t, nodeName(i), "kubelet.conf", p.front))
		if err != nil {
			t.Fatal(err)
		}
		h := &hollow{name: nodeName(i), index: i, client: client, census: c, started: map[types.UID]time.Time{}}
		all = append(all, start(ctx, h.name, h.run))
	}
	return all
}

func (h *hollow) run(ctx context.Context) error {
	if err := h.register(ctx); err != nil {
		return fmt.Errorf("register %s: %w", h.name, err)
	}
	h.queue = workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](10*time.Millisecond, time.Second))
	var all sync.WaitGroup
	all.Go(func() { h.beat(ctx) })
	all.Go(func() { h.follow(ctx) })
	all.Go(func() {
		for h.next(ctx) {
		}
	})
	<-ctx.Done()
	h.queue.ShutDown()
	all.Wait()
	return nil
}

func (h *hollow) register(ctx context.Context) error {
	now := meta.Now()
	room := core.ResourceList{core.ResourceCPU: resource.MustParse("8"), core.ResourceMemory: resource.MustParse("16Gi"), core.ResourcePods: resource.MustParse("110")}
	node := &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: h.name, Labels: map[string]string{core.LabelHostname: h.name}},
		Status: core.NodeStatus{
			Capacity: room, Allocatable: room, Addresses: []core.NodeAddress{{Type: core.NodeInternalIP, Address: "127.0.0.1"}},
			Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now}},
		},
	}
	for {
		_, err := h.client.CoreV1().Nodes().Create(ctx, node, meta.CreateOptions{})
		switch {
		case err == nil || apierrors.IsAlreadyExists(err):
			return nil
		case ctx.Err() != nil || apierrors.IsForbidden(err) || apierrors.IsInvalid(err):
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond): // the pause between attempts
		}
	}
}

// beat renews the node's Lease.
func (h *hollow) beat(ctx context.Context) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		if err := h.renew(ctx); err != nil && ctx.Err() == nil {
			logger(h.name).Warn("heartbeat", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *hollow) renew(ctx context.Context) error {
	leases, now, seconds := h.client.CoordinationV1().Leases(core.NamespaceNodeLease), meta.NowMicro(), int32(40)
	lease, err := leases.Get(ctx, h.name, meta.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordination.Lease{
			ObjectMeta: meta.ObjectMeta{Name: h.name}, Spec: coordination.LeaseSpec{HolderIdentity: &h.name, LeaseDurationSeconds: &seconds, RenewTime: &now},
		}, meta.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec.RenewTime = &now
	_, err = leases.Update(ctx, lease, meta.UpdateOptions{})
	return err
}

// follow watches the pods of this node.
func (h *hollow) follow(ctx context.Context) {
	enqueue := func(obj any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj); err == nil {
			h.queue.Add(key)
		}
	}
	var informer cache.Controller
	h.pods, informer = cache.NewIndexerInformer(
		cache.NewListWatchFromClient(h.client.CoreV1().RESTClient(), "pods", meta.NamespaceAll, fields.OneTermEqualSelector("spec.nodeName", h.name)),
		&core.Pod{}, 0, cache.ResourceEventHandlerFuncs{AddFunc: enqueue, UpdateFunc: func(_, obj any) { enqueue(obj) }, DeleteFunc: enqueue}, cache.Indexers{})
	informer.RunWithContext(ctx)
}

func (h *hollow) next(ctx context.Context) bool {
	key, stop := h.queue.Get()
	if stop {
		return false
	}
	defer h.queue.Done(key)
	again, err := h.sync(ctx, key)
	switch {
	case err != nil && ctx.Err() == nil:
		h.queue.AddRateLimited(key)
	case again > 0:
		h.queue.AddAfter(key, again)
	default:
		h.queue.Forget(key)
	}
	return true
}

// sync takes one step in a pod's life; again is when the next one is due by itself.
func (h *hollow) sync(ctx context.Context, key string) (again time.Duration, err error) {
	obj, exists, err := h.pods.GetByKey(key)
	if err != nil || !exists {
		return 0, err
	}
	pod := obj.(*core.Pod)
	ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	switch {
	case pod.DeletionTimestamp != nil && ended:
		return 0, h.remove(ctx, pod)
	case pod.DeletionTimestamp != nil:
		return 0, h.report(ctx, pod, core.PodSucceeded)
	case ended:
		return 0, nil
	case pod.Status.Phase == core.PodPending:
		h.census.note(pod, h.name)
		return 0, h.report(ctx, pod, core.PodRunning)
	case pod.Spec.RestartPolicy == core.RestartPolicyAlways:
		return 0, nil
	}
	if h.started[pod.UID].IsZero() {
		h.started[pod.UID] = time.Now()
	}
	if left := time.Until(h.started[pod.UID].Add(runs)); left > 0 {
		return left, nil
	}
	return 0, h.report(ctx, pod, core.PodSucceeded)
}

// remove deletes what has ended, as the last step of a graceful deletion.
func (h *hollow) remove(ctx context.Context, pod *core.Pod) error {
	now := int64(0)
	err := h.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{GracePeriodSeconds: &now, Preconditions: meta.NewUIDPreconditions(string(pod.UID))})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// report writes the pod's status.
func (h *hollow) report(ctx context.Context, pod *core.Pod, phase core.PodPhase) error {
	status := core.PodStatus{Phase: phase, PodIP: fmt.Sprintf("10.244.%d.%d", h.index, 1+len(h.pods.ListKeys())%250), HostIP: "127.0.0.1"}
	for _, kind := range []core.PodConditionType{core.PodInitialized, core.PodReady, core.ContainersReady} {
		is := core.ConditionTrue
		if phase != core.PodRunning && kind != core.PodInitialized {
			is = core.ConditionFalse
		}
		status.Conditions = append(status.Conditions, core.PodCondition{Type: kind, Status: is, LastTransitionTime: meta.Now()})
	}
	for _, c := range pod.Spec.Containers {
		state := core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: meta.Now()}}
		if phase != core.PodRunning {
			state = core.ContainerState{Terminated: &core.ContainerStateTerminated{Reason: "Completed"}}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, core.ContainerStatus{Name: c.Name, Image: c.Image, State: state, Ready: phase == core.PodRunning})
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = h.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, or another pod has its name now
	}
	return err
}
