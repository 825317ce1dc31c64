package core

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// eventTTL is how long an event is kept.
const eventTTL = time.Hour

// Event is the catalogue entry of events of the core group. The events.k8s.io group serves the same objects: they share rules and keys.
func Event() kind.Kind {
	storage := kind.Stored("events", corev1.SchemeGroupVersion, &corev1.Event{})
	storage.TTL = eventTTL
	return kind.Kind{
		Names:      kind.Names{Kind: "Event", Resource: "events", Singular: "event", ShortNames: []string{"ev"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.Event{}, &corev1.EventList{})},
		Storage:    storage,
		Columns:    kind.Table("Last Seen;Type;Reason;Object;Subobject*;Source*;Message;First Seen*;Count*;Name*", eventDocs),
		Cells:      kind.Cells(eventCells),
		Fields:     kind.Fields(eventFields),
		Rules: kind.Typed[*corev1.Event]{
			ValidateCreate:      validateEvent,
			ValidateUpdate:      validateEventUpdate,
			CreateOnUpdate:      true,
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

var eventDocs = map[string]string{
	"Last Seen":  corev1.Event{}.SwaggerDoc()["lastTimestamp"],
	"Type":       corev1.Event{}.SwaggerDoc()["type"],
	"Reason":     corev1.Event{}.SwaggerDoc()["reason"],
	"Object":     corev1.Event{}.SwaggerDoc()["involvedObject"],
	"Subobject":  corev1.ObjectReference{}.SwaggerDoc()["fieldPath"],
	"Source":     corev1.Event{}.SwaggerDoc()["source"],
	"Message":    corev1.Event{}.SwaggerDoc()["message"],
	"First Seen": corev1.Event{}.SwaggerDoc()["firstTimestamp"],
	"Count":      corev1.Event{}.SwaggerDoc()["count"],
}

func eventFields(e *corev1.Event) fields.Set {
	source := e.Source.Component
	if source == "" {
		source = e.ReportingController
	}
	o := e.InvolvedObject
	return fields.Set{
		"involvedObject.kind": o.Kind, "involvedObject.namespace": o.Namespace, "involvedObject.name": o.Name,
		"involvedObject.uid": string(o.UID), "involvedObject.apiVersion": o.APIVersion,
		"involvedObject.resourceVersion": o.ResourceVersion, "involvedObject.fieldPath": o.FieldPath,
		"regarding.kind": o.Kind, "regarding.namespace": o.Namespace, "regarding.name": o.Name,
		"regarding.uid": string(o.UID), "regarding.apiVersion": o.APIVersion,
		"regarding.resourceVersion": o.ResourceVersion, "regarding.fieldPath": o.FieldPath,
		"reason": e.Reason, "type": e.Type, "source": source,
		"reportingComponent": e.ReportingController, "reportingController": e.ReportingController,
	}
}

func eventCells(e *corev1.Event, now time.Time) []any {
	first := kind.Since(e.FirstTimestamp, now)
	if e.FirstTimestamp.IsZero() {
		first = kind.Since(metav1.Time(e.EventTime), now)
	}
	last, count := kind.Since(e.LastTimestamp, now), int64(e.Count)
	if e.LastTimestamp.IsZero() {
		last = first
	}
	if e.Series != nil {
		last, count = kind.Since(metav1.Time(e.Series.LastObservedTime), now), int64(e.Series.Count)
	} else if count == 0 {
		count = 1
	}
	return []any{
		last, e.Type, e.Reason, eventTarget(e), e.InvolvedObject.FieldPath, eventSource(e),
		strings.TrimSpace(e.Message), first, strconv.FormatInt(count, 10), e.Name,
	}
}

func eventTarget(e *corev1.Event) string {
	target := strings.ToLower(e.InvolvedObject.Kind)
	if e.InvolvedObject.Name == "" {
		return target
	}
	return target + "/" + e.InvolvedObject.Name
}

func eventSource(e *corev1.Event) string {
	component, instance := e.Source.Component, e.Source.Host
	if component == "" {
		component = e.ReportingController
	}
	if instance == "" {
		instance = e.ReportingInstance
	}
	if instance == "" {
		return component
	}
	return component + ", " + instance
}
