// Package source shows the workers which pods belong on this node: those that the API binds to it.
//
// It lists and watches with the one field selector that the Node authorizer allows. The API feeds it; it feeds the workers, and package static
// with the mirrors of its pods. The informers of Services and of this node's own object are made here too. It changes nothing and decides nothing.
package source

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

// Sink receives pods.
type Sink interface {
	Set(pod *corev1.Pod)
	Gone(uid types.UID)
}

// Mirrors receives the pods by which the API shows this node's static pods.
type Mirrors interface {
	Set(pod *corev1.Pod)
	Gone(pod *corev1.Pod)
}

// Pods returns the informer of this node's pods, which feeds sink and mirrors when it runs.
func Pods(client corev1client.PodsGetter, node string, sink Sink, mirrors Mirrors) (cache.SharedIndexInformer, error) {
	selector := fields.OneTermEqualSelector("spec.nodeName", node).String()
	pods := client.Pods(metav1.NamespaceAll)
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (kruntime.Object, error) {
			o.FieldSelector = selector
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return pods.Watch(ctx, o)
		},
	}, &corev1.Pod{}, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	_, err := informer.AddEventHandler(handler(sink, mirrors))
	return informer, err
}

func handler(sink Sink, mirrors Mirrors) cache.ResourceEventHandler {
	set := func(object any) {
		pod, ok := object.(*corev1.Pod)
		switch {
		case !ok:
		case podinfo.IsMirror(pod):
			mirrors.Set(pod)
		default:
			sink.Set(stamped(pod))
		}
	}
	gone := func(pod *corev1.Pod) {
		if podinfo.IsMirror(pod) {
			mirrors.Gone(pod)
			return
		}
		sink.Gone(pod.UID)
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: set,
		UpdateFunc: func(old, now any) {
			// A pod deleted and made again under its name between two lists shows as an update.
			if before, ok := old.(*corev1.Pod); ok && before.UID != now.(*corev1.Pod).UID {
				gone(before)
			}
			set(now)
		},
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if pod, ok := object.(*corev1.Pod); ok {
				gone(pod)
			}
		},
	}
}

// stamped marks where a pod came from, as the runtime's annotations of a sandbox show it.
func stamped(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[podinfo.SourceAnnotation] = "api"
	return pod
}

// Services returns the informer of all Services, for environment variables.
func Services(client corev1client.ServicesGetter) cache.SharedIndexInformer {
	services := client.Services(metav1.NamespaceAll)
	return cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (kruntime.Object, error) {
			return services.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return services.Watch(ctx, o)
		},
	}, &corev1.Service{}, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}

// Node returns the informer of this node's own object: admission looks at its labels.
func Node(client corev1client.NodesGetter, name string) cache.SharedIndexInformer {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	nodes := client.Nodes()
	return cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (kruntime.Object, error) {
			o.FieldSelector = selector
			return nodes.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return nodes.Watch(ctx, o)
		},
	}, &corev1.Node{}, 0, cache.Indexers{})
}
