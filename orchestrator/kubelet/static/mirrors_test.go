package static

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

func staticPod(t *testing.T) *corev1.Pod {
	t.Helper()
	pod, err := Parse([]byte(web), "f", "n")
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// numbered is an API that gives every new pod a UID of its own.
func numbered() *fake.Clientset {
	client, made := fake.NewClientset(), 0
	client.PrependReactor("create", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		made++
		action.(kubetesting.CreateAction).GetObject().(*corev1.Pod).UID = types.UID(fmt.Sprint("made-", made))
		return false, nil, nil
	})
	return client
}

func TestALateAnswerDoesNotBringAMirrorBack(t *testing.T) {
	ctx, client, pod := t.Context(), numbered(), staticPod(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node-uid"}}
	m := &Mirrors{Client: client.CoreV1(), Owner: func() *corev1.Node { return node }, Wake: func(string) {}}
	first, err := m.Ensure(ctx, pod)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Pods(first.Namespace).Delete(ctx, first.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	m.Gone(first)
	m.Set(first) // the answer to a status that was written before the deletion
	second, err := m.Ensure(ctx, pod)
	if err != nil || second.UID == first.UID {
		t.Fatalf("UID %s after %s: %v", second.UID, first.UID, err)
	}
	if _, err := client.CoreV1().Pods(first.Namespace).Get(ctx, first.Name, metav1.GetOptions{}); err != nil {
		t.Fatalf("it is not shown again: %v", err)
	}
}

func TestMirrorsShowStaticPods(t *testing.T) {
	ctx, client, pod := t.Context(), numbered(), staticPod(t)
	var node *corev1.Node
	m := &Mirrors{Client: client.CoreV1(), Owner: func() *corev1.Node { return node }, Wake: func(string) {}}
	if _, err := m.Ensure(ctx, pod); err == nil {
		t.Error("made without an owner: the API would refuse it")
	}
	node = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node-uid"}}
	mirror, err := m.Ensure(ctx, pod)
	if err != nil {
		t.Fatal(err)
	}
	owner := metav1.GetControllerOf(mirror)
	if owner == nil || owner.Kind != "Node" || owner.UID != "node-uid" || mirror.Annotations[podinfo.MirrorAnnotation] != string(pod.UID) {
		t.Errorf("owner %v, annotations %v", owner, mirror.Annotations)
	}
	if same, err := m.Ensure(ctx, pod); err != nil || same != mirror {
		t.Errorf("made anew: %v", err)
	}
	// The file changes: the mirror shows another pod.
	changed := pod.DeepCopy()
	changed.Annotations[podinfo.HashAnnotation] = "other"
	if mirror, err = m.Ensure(ctx, changed); err != nil || mirror.Annotations[podinfo.MirrorAnnotation] != "other" {
		t.Errorf("not replaced: %v", err)
	}
	if err := m.Remove(ctx, changed); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Pods("default").Get(ctx, pod.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after removal: %v", err)
	}
}

func TestMirrorsLeaveStrangersAlone(t *testing.T) {
	pod := staticPod(t)
	stranger := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: "stranger"}}
	client := fake.NewClientset(stranger)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node-uid"}}
	m := &Mirrors{Client: client.CoreV1(), Owner: func() *corev1.Node { return node }, Wake: func(string) {}}
	if _, err := m.Ensure(t.Context(), pod); err == nil {
		t.Error("took somebody else's pod for its mirror")
	}
	if _, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{}); err != nil {
		t.Errorf("deleted it: %v", err)
	}
}

func TestMirrorsWithoutPodsArePruned(t *testing.T) {
	pod := staticPod(t)
	mirror := pod.DeepCopy()
	mirror.UID, mirror.Annotations[podinfo.MirrorAnnotation] = "mirror", string(pod.UID)
	client := fake.NewClientset(mirror)
	m := &Mirrors{Client: client.CoreV1(), Wake: func(string) {}}
	m.Set(mirror)
	for _, alive := range []bool{true, false} {
		if err := m.Prune(t.Context(), func(uid types.UID) bool { return alive && uid == pod.UID }); err != nil {
			t.Fatal(err)
		}
		_, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) == alive {
			t.Errorf("its file is there: %v; the mirror: %v", alive, err)
		}
	}
}
