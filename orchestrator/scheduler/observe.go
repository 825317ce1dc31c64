package scheduler

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/rules"
	"github.com/plumb-k8s/plumb/orchestrator/scheduler/state"
)

// informers are everything the scheduler watches: pods that have not ended, nodes, namespaces and disruption budgets.
func (s *Scheduler) informers() []cache.Controller {
	running := fields.ParseSelectorOrDie("status.phase!=Succeeded,status.phase!=Failed")
	source := func(client cache.Getter, resource string, selector fields.Selector) cache.ListerWatcher {
		return cache.NewListWatchFromClient(client, resource, metav1.NamespaceAll, selector)
	}
	core := s.Client.CoreV1().RESTClient()
	build := func(lw cache.ListerWatcher, object runtime.Object, handler cache.ResourceEventHandler) cache.Controller {
		_, controller := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: lw, ObjectType: object, Handler: handler, Transform: trim})
		return controller
	}
	var budgets cache.Controller
	s.budgets, budgets = cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: source(s.Client.PolicyV1().RESTClient(), "poddisruptionbudgets", fields.Everything()),
		ObjectType:    &policyv1.PodDisruptionBudget{}, Handler: cache.ResourceEventHandlerFuncs{}, Transform: trim,
	})
	return []cache.Controller{
		build(source(core, "nodes", fields.Everything()), &corev1.Node{}, s.nodeHandler()),
		build(source(core, "pods", running), &corev1.Pod{}, s.podHandler()),
		build(source(core, "namespaces", fields.Everything()), &corev1.Namespace{}, s.namespaceHandler()),
		budgets,
	}
}

// trim drops what the scheduler never reads before it is kept.
func trim(obj any) (any, error) {
	if m, ok := obj.(metav1.Object); ok {
		m.SetManagedFields(nil)
	}
	return obj, nil
}

func (s *Scheduler) podHandler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { s.podChanged(nil, obj.(*corev1.Pod)) },
		UpdateFunc: func(old, obj any) { s.podChanged(old.(*corev1.Pod), obj.(*corev1.Pod)) },
		DeleteFunc: func(obj any) {
			if pod, ok := last[*corev1.Pod](obj); ok {
				s.podGone(pod)
			}
		},
	}
}

// last unwraps the last known state of a deleted object.
func last[T any](obj any) (T, bool) {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	object, ok := obj.(T)
	return object, ok
}

func (s *Scheduler) podChanged(old, pod *corev1.Pod) {
	if pod.Spec.NodeName != "" {
		s.podPlaced(old, pod)
		return
	}
	if !slices.Contains(s.Names, pod.Spec.SchedulerName) {
		return
	}
	if len(pod.Spec.SchedulingGates) > 0 || pod.DeletionTimestamp != nil {
		s.queue.Remove(pod.UID)
		return
	}
	s.keepNomination(old, pod)
	s.queue.Set(pod, easier(old, pod))
}

// keepNomination holds the room that an earlier leader, or this one, has made for a pod, until somebody takes the nomination away: a version
// without one may be older than this leader's own, which is still being written.
func (s *Scheduler) keepNomination(old, pod *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case pod.Status.NominatedNodeName != "":
		s.state.Nominate(state.NewPod(pod), pod.Status.NominatedNodeName)
	case old != nil && old.Status.NominatedNodeName != "":
		s.state.Unnominate(pod.UID)
	}
}

// easier tells whether a new version of a pending pod may fit where the old one did not: anything but its status changed.
func easier(old, pod *corev1.Pod) bool {
	return old == nil || old.Generation != pod.Generation || !equality.Semantic.DeepEqual(old.Labels, pod.Labels) ||
		!equality.Semantic.DeepEqual(old.Spec, pod.Spec)
}

func (s *Scheduler) podPlaced(old, pod *corev1.Pod) {
	s.queue.Remove(pod.UID)
	s.mu.Lock()
	known := s.state.Placed(pod.UID)
	s.state.Place(pod)
	now := s.state.Placed(pod.UID)
	s.mu.Unlock()
	switch {
	case known == nil:
		s.queue.Happened(rules.Happened(rules.PodPlaced))
	case old != nil && !labels.Equals(old.Labels, pod.Labels):
		s.queue.Happened(rules.Happened(rules.PodLabels))
	case old != nil && old.DeletionTimestamp == nil && pod.DeletionTimestamp != nil:
		s.queue.Happened(rules.Happened(rules.PodEnding))
	default:
		if names := shrunk(known.Requests, now.Requests); len(names) > 0 {
			s.queue.Happened(rules.Change{Freed: names}) // resized
		}
	}
}

// freed is what a pod leaves behind when it goes.
func freed(pod *corev1.Pod) rules.Change {
	return rules.Change{Events: rules.PodRemoved, Freed: append(slices.Collect(maps.Keys(state.NewPod(pod).Requests)), corev1.ResourcePods)}
}

// shrunk are the resources of which less is taken now.
func shrunk(before, now state.Resources) []corev1.ResourceName {
	var names []corev1.ResourceName
	for name, amount := range before {
		if now[name] < amount {
			names = append(names, name)
		}
	}
	return names
}

func (s *Scheduler) podGone(pod *corev1.Pod) {
	s.queue.Remove(pod.UID)
	s.mu.Lock()
	placed := s.state.Placed(pod.UID) != nil
	s.state.Remove(pod.UID)
	s.state.Unnominate(pod.UID)
	s.mu.Unlock()
	if placed || pod.Status.NominatedNodeName != "" {
		s.queue.Happened(freed(pod))
	}
}

func (s *Scheduler) nodeHandler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			s.setNode(obj.(*corev1.Node))
			s.queue.Happened(rules.Happened(rules.NodeAdded))
		},
		UpdateFunc: func(old, obj any) {
			s.setNode(obj.(*corev1.Node))
			if change := nodeChange(old.(*corev1.Node), obj.(*corev1.Node)); change.Events != 0 || len(change.Freed) > 0 {
				s.queue.Happened(change)
			}
		},
		DeleteFunc: func(obj any) {
			if node, ok := last[*corev1.Node](obj); ok {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.state.RemoveNode(node.Name)
			}
		},
	}
}

func (s *Scheduler) setNode(node *corev1.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.SetNode(node)
}

// nodeChange is what changed of a node that may help a refused pod. A heartbeat is nothing.
func nodeChange(old, node *corev1.Node) rules.Change {
	change := rules.Change{}
	for name, quantity := range node.Status.Allocatable {
		if before, had := old.Status.Allocatable[name]; !had || quantity.Cmp(before) > 0 {
			change.Freed = append(change.Freed, name)
		}
	}
	if !labels.Equals(old.Labels, node.Labels) {
		change.Events |= rules.NodeLabels
	}
	if old.Spec.Unschedulable != node.Spec.Unschedulable || !equality.Semantic.DeepEqual(old.Spec.Taints, node.Spec.Taints) {
		change.Events |= rules.NodeTaints
	}
	return change
}

func (s *Scheduler) namespaceHandler() cache.ResourceEventHandler {
	set := func(ns *corev1.Namespace) {
		s.mu.Lock()
		s.state.SetNamespace(ns.Name, ns.Labels)
		s.mu.Unlock()
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { set(obj.(*corev1.Namespace)) },
		UpdateFunc: func(old, obj any) {
			set(obj.(*corev1.Namespace))
			if !labels.Equals(old.(*corev1.Namespace).Labels, obj.(*corev1.Namespace).Labels) {
				s.queue.Happened(rules.Happened(rules.NamespaceLabels))
			}
		},
		DeleteFunc: func(obj any) {
			if ns, ok := last[*corev1.Namespace](obj); ok {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.state.RemoveNamespace(ns.Name)
			}
		},
	}
}
