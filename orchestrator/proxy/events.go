package proxy

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
)

// events tell the owner of a Service what this node cannot do for it.
type events struct {
	node        string
	recorder    record.EventRecorder
	broadcaster record.EventBroadcaster
	sink        record.EventSink
}

func newEvents(cfg *rest.Config, node string) (*events, error) {
	core, err := corev1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client of events: %w", err)
	}
	broadcaster := record.NewBroadcaster()
	return &events{
		node: node, broadcaster: broadcaster, sink: &corev1client.EventSinkImpl{Interface: core.Events("")},
		recorder: broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kube-proxy", Host: node}),
	}, nil
}

// start sends them until stop is called.
func (e *events) start() (stop func()) {
	e.broadcaster.StartRecordingToSink(e.sink)
	return e.broadcaster.Shutdown
}

func (e *events) refused(svc *corev1.Service, why error) {
	e.recorder.Eventf(svc, corev1.EventTypeWarning, "FailedToProgramService", "node %s failed to program the service: %v", e.node, why)
}
