package core

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// EventOfGroup is the catalogue entry of events.k8s.io: the same objects as Event, spelled with newer field names.
func EventOfGroup() kind.Kind {
	k := Event()
	k.Group = eventsv1.GroupName
	k.Versions = []kind.Version{{
		Name:    "v1",
		New:     func() kind.Object { return &eventsv1.Event{} },
		NewList: func() runtime.Object { return &eventsv1.EventList{} },
		ToHub:   eventToHub,
		FromHub: eventFromHub,
	}}
	return k
}

func eventToHub(obj kind.Object) (kind.Object, error) {
	e, ok := obj.(*eventsv1.Event)
	if !ok {
		return nil, fmt.Errorf("convert event: %T is no events.k8s.io/v1 Event", obj)
	}
	e = e.DeepCopy()
	hub := &corev1.Event{
		ObjectMeta:          e.ObjectMeta,
		InvolvedObject:      e.Regarding,
		Related:             e.Related,
		Reason:              e.Reason,
		Message:             e.Note,
		Source:              e.DeprecatedSource,
		FirstTimestamp:      e.DeprecatedFirstTimestamp,
		LastTimestamp:       e.DeprecatedLastTimestamp,
		Count:               e.DeprecatedCount,
		Type:                e.Type,
		EventTime:           e.EventTime,
		Action:              e.Action,
		ReportingController: e.ReportingController,
		ReportingInstance:   e.ReportingInstance,
	}
	if e.Series != nil {
		hub.Series = &corev1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	hub.APIVersion, hub.Kind = "v1", "Event"
	return hub, nil
}

func eventFromHub(obj kind.Object) (kind.Object, error) {
	hub, ok := obj.(*corev1.Event)
	if !ok {
		return nil, fmt.Errorf("convert event: %T is no v1 Event", obj)
	}
	hub = hub.DeepCopy()
	e := &eventsv1.Event{
		ObjectMeta:               hub.ObjectMeta,
		Regarding:                hub.InvolvedObject,
		Related:                  hub.Related,
		Reason:                   hub.Reason,
		Note:                     hub.Message,
		DeprecatedSource:         hub.Source,
		DeprecatedFirstTimestamp: hub.FirstTimestamp,
		DeprecatedLastTimestamp:  hub.LastTimestamp,
		DeprecatedCount:          hub.Count,
		Type:                     hub.Type,
		EventTime:                hub.EventTime,
		Action:                   hub.Action,
		ReportingController:      hub.ReportingController,
		ReportingInstance:        hub.ReportingInstance,
	}
	if hub.Series != nil {
		e.Series = &eventsv1.EventSeries{Count: hub.Series.Count, LastObservedTime: hub.Series.LastObservedTime}
	}
	e.APIVersion, e.Kind = eventsv1.SchemeGroupVersion.String(), "Event"
	return e, nil
}
