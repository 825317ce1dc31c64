package static

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Mirrors knows the mirror pods of this node, and makes and removes them.
type Mirrors struct {
	Client corev1client.PodsGetter
	// Owner is this node's object, nil while it is not known: a mirror pod is owned by its node.
	Owner func() *corev1.Node
	// Wake looks at a static pod again when something happened to its mirror.
	Wake func(uid string)

	mu    sync.Mutex
	known map[string]*corev1.Pod // by namespace/name
	// gone are the last mirrors that the API lost, by namespace/name: the answer to an earlier write may still speak of one afterwards.
	gone map[string]types.UID
}

// Set tells of a mirror pod in the API. One that is known to be gone stays gone.
func (m *Mirrors) Set(pod *corev1.Pod) {
	m.mu.Lock()
	if m.known == nil {
		m.known, m.gone = map[string]*corev1.Pod{}, map[string]types.UID{}
	}
	if lost, any := m.gone[podinfo.Key(pod)]; !any || lost != pod.UID {
		m.known[podinfo.Key(pod)] = pod
	}
	m.mu.Unlock()
	m.Wake(pod.Annotations[podinfo.MirrorAnnotation])
}

// Gone tells that the API no longer has it.
func (m *Mirrors) Gone(pod *corev1.Pod) {
	m.lose(pod)
	m.Wake(pod.Annotations[podinfo.MirrorAnnotation])
}

func (m *Mirrors) lose(pod *corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known, m.gone = map[string]*corev1.Pod{}, map[string]types.UID{}
	}
	m.gone[podinfo.Key(pod)] = pod.UID
	if had := m.known[podinfo.Key(pod)]; had != nil && had.UID == pod.UID {
		delete(m.known, podinfo.Key(pod))
	}
}

func (m *Mirrors) get(pod *corev1.Pod) *corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[podinfo.Key(pod)]
}

// Status is what the API last showed of a static pod: a kubelet started again goes on from there.
func (m *Mirrors) Status(pod *corev1.Pod) (corev1.PodStatus, bool) {
	mirror := m.get(pod)
	if mirror == nil || !shows(mirror, pod) {
		return corev1.PodStatus{}, false
	}
	return mirror.Status, true
}

// shows is true for a mirror of that very pod.
func shows(mirror, pod *corev1.Pod) bool {
	return mirror.DeletionTimestamp == nil && mirror.Annotations[podinfo.MirrorAnnotation] == pod.Annotations[podinfo.HashAnnotation]
}

// Ensure returns the mirror of a static pod, made if need be. One that is being deleted, or shows what the file was before, is replaced.
func (m *Mirrors) Ensure(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	mirror := m.get(pod)
	if mirror != nil && shows(mirror, pod) {
		return mirror, nil
	}
	if mirror != nil {
		if err := m.remove(ctx, mirror); err != nil {
			return nil, err
		}
	}
	wanted, err := m.picture(pod)
	if err != nil {
		return nil, err
	}
	made, err := m.Client.Pods(pod.Namespace).Create(ctx, wanted, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		made, err = m.Client.Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err == nil && !(podinfo.IsMirror(made) && shows(made, pod)) {
			err = errors.Join(fmt.Errorf("the API has another pod of that name"), m.removeIfMirror(ctx, made))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make the mirror of pod %s: %w", podinfo.Key(pod), err)
	}
	m.Set(made)
	return made, nil
}

// picture of a static pod as the API gets it.
func (m *Mirrors) picture(pod *corev1.Pod) (*corev1.Pod, error) {
	node := m.Owner()
	if node == nil {
		return nil, fmt.Errorf("make the mirror of pod %s: the node is not registered yet", podinfo.Key(pod))
	}
	mirror := pod.DeepCopy()
	mirror.UID, mirror.ResourceVersion, mirror.Status = "", "", corev1.PodStatus{}
	mirror.Annotations[podinfo.MirrorAnnotation] = pod.Annotations[podinfo.HashAnnotation]
	controller := true
	mirror.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID, Controller: &controller}}
	return mirror, nil
}

// Remove takes a static pod's mirror away.
func (m *Mirrors) Remove(ctx context.Context, pod *corev1.Pod) error {
	if mirror := m.get(pod); mirror != nil {
		return m.remove(ctx, mirror)
	}
	return nil
}

// Prune removes mirrors of pods that are not there: their files went while no kubelet looked.
func (m *Mirrors) Prune(ctx context.Context, has func(uid types.UID) bool) error {
	m.mu.Lock()
	var orphans []*corev1.Pod
	for _, mirror := range m.known {
		if !has(types.UID(mirror.Annotations[podinfo.MirrorAnnotation])) {
			orphans = append(orphans, mirror)
		}
	}
	m.mu.Unlock()
	var errs []error
	for _, mirror := range orphans {
		errs = append(errs, m.remove(ctx, mirror))
	}
	return errors.Join(errs...)
}

func (m *Mirrors) removeIfMirror(ctx context.Context, pod *corev1.Pod) error {
	if !podinfo.IsMirror(pod) {
		return nil // somebody else's: it is not ours to delete
	}
	return m.remove(ctx, pod)
}

func (m *Mirrors) remove(ctx context.Context, mirror *corev1.Pod) error {
	now := int64(0)
	err := m.Client.Pods(mirror.Namespace).Delete(ctx, mirror.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(mirror.UID)),
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("remove the mirror of pod %s: %w", podinfo.Key(mirror), err)
	}
	m.lose(mirror)
	return nil
}
