package kubelet

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

// recorder writes events as this node's kubelet.
type recorder struct {
	events record.EventRecorder
	stop   func()
}

func newRecorder(client corev1client.EventsGetter, node string) *recorder {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: client.Events("")})
	return &recorder{
		events: broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: node}),
		stop:   broadcaster.Shutdown,
	}
}
