// Package usage counts what an object uses of a ResourceQuota: the arithmetic that admission, before a write, and the quota controller, after
// it, must do alike.
//
// It is fed objects by both, and feeds them amounts. Pure. A resource of a quota is a compute resource of pods, the storage of claims, the ports
// of Services, or the number of any kind of object.
package usage

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// CountPrefix begins the names of object counts: count/deployments.apps.
const CountPrefix = "count/"

// legacyCounts are kinds that quotas have counted by their plain names since before CountPrefix.
var legacyCounts = map[string]bool{"configmaps": true, "secrets": true, "resourcequotas": true, "replicationcontrollers": true}

// CountName of a resource.
func CountName(gr schema.GroupResource) corev1.ResourceName {
	return corev1.ResourceName(CountPrefix + gr.String())
}

// Of an object of a resource, at a moment (a pod that should have ended long ago uses nothing any more).
func Of(gr schema.GroupResource, obj runtime.Object, now time.Time) corev1.ResourceList {
	used := corev1.ResourceList{CountName(gr): one()}
	switch o := obj.(type) {
	case *corev1.Pod:
		add(used, ofPod(o, now))
	case *corev1.Service:
		add(used, ofService(o))
	case *corev1.PersistentVolumeClaim:
		add(used, ofClaim(o))
	default:
		if gr.Group == "" && legacyCounts[gr.Resource] {
			used[corev1.ResourceName(gr.Resource)] = one()
		}
	}
	return used
}

// Counts tells whether objects of a resource can use the named resource of a quota.
func Counts(gr schema.GroupResource, name corev1.ResourceName) bool {
	if name == CountName(gr) {
		return true
	}
	if gr.Group != "" {
		return false
	}
	switch gr.Resource {
	case "pods":
		return podResource(name)
	case "services":
		return name == corev1.ResourceServices || name == corev1.ResourceServicesNodePorts || name == corev1.ResourceServicesLoadBalancers
	case "persistentvolumeclaims":
		return name == corev1.ResourcePersistentVolumeClaims || name == corev1.ResourceRequestsStorage || strings.Contains(string(name), classInfix)
	}
	return legacyCounts[gr.Resource] && string(name) == gr.Resource
}

// Among are the names of a list that objects of the resource can use.
func Among(gr schema.GroupResource, list corev1.ResourceList) []corev1.ResourceName {
	var names []corev1.ResourceName
	for name := range list {
		if Counts(gr, name) {
			names = append(names, name)
		}
	}
	return names
}

func one() resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }

// add b to a.
func add(a, b corev1.ResourceList) {
	for name, quantity := range b {
		sum := quantity.DeepCopy()
		if have, ok := a[name]; ok {
			sum = have.DeepCopy()
			sum.Add(quantity)
		}
		a[name] = sum
	}
}

// Add returns the sum of two lists.
func Add(a, b corev1.ResourceList) corev1.ResourceList {
	sum := a.DeepCopy()
	if sum == nil {
		sum = corev1.ResourceList{}
	}
	add(sum, b)
	return sum
}

// Growth is a less b, where a is more: what a change adds to the usage of before.
func Growth(a, b corev1.ResourceList) corev1.ResourceList {
	more := corev1.ResourceList{}
	for name, quantity := range a {
		rest := quantity.DeepCopy()
		rest.Sub(b[name])
		if rest.Sign() > 0 {
			more[name] = rest
		}
	}
	return more
}

// Mask keeps the named resources of a list.
func Mask(list corev1.ResourceList, names []corev1.ResourceName) corev1.ResourceList {
	kept := corev1.ResourceList{}
	for _, name := range names {
		if quantity, ok := list[name]; ok {
			kept[name] = quantity
		}
	}
	return kept
}
