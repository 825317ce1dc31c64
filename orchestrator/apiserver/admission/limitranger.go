package admission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	quantities "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/component-helpers/resource"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// limitRanger fills in the requests and limits that a namespace's LimitRanges give containers, and holds pods and claims to their bounds.
type limitRanger struct {
	reader objects.Reader
}

// limitRangerNote is the annotation that says what was filled in.
const limitRangerNote = "kubernetes.io/limit-ranger"

func (*limitRanger) Name() string { return "LimitRanger" }

func (*limitRanger) Handles(op Operation) bool { return op == Create || op == Update }

func (l *limitRanger) Admit(ctx context.Context, a *Attributes) error {
	pod, ok := a.Object.(*corev1.Pod)
	if !ok {
		return nil
	}
	ranges, err := l.ranges(ctx, a)
	for _, r := range ranges {
		fillIn(r, pod)
	}
	return err
}

func (l *limitRanger) Validate(ctx context.Context, a *Attributes) error {
	ranges, err := l.ranges(ctx, a)
	for _, r := range ranges {
		var faults []error
		for i := range r.Spec.Limits {
			faults = append(faults, outside(&r.Spec.Limits[i], a)...)
		}
		if problem := utilerrors.NewAggregate(faults); problem != nil {
			return refuse(a, "%v", problem)
		}
	}
	return err
}

// ranges of the namespace, when the attempt is one that they bound: new pods, pods that are resized, claims.
func (l *limitRanger) ranges(ctx context.Context, a *Attributes) ([]*corev1.LimitRange, error) {
	switch {
	case a.isCore("pods", "resize") && a.Operation == Update, a.isCore("pods", "") && a.Operation == Create, a.isCore("persistentvolumeclaims", ""):
	default:
		return nil, nil
	}
	if old, ok := a.Old.(interface{ GetDeletionGracePeriodSeconds() *int64 }); ok && old.GetDeletionGracePeriodSeconds() != nil {
		return nil, nil
	}
	list, err := l.reader.List(ctx, schema.GroupResource{Resource: "limitranges"}, a.Namespace, nil)
	if err != nil {
		return nil, err
	}
	var ranges []*corev1.LimitRange
	for _, obj := range list {
		if r, ok := obj.(*corev1.LimitRange); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges, nil
}

// fillIn gives containers the default requests and limits that they do not state, and notes them on the pod.
func fillIn(r *corev1.LimitRange, pod *corev1.Pod) {
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	for i := range r.Spec.Limits {
		if item := &r.Spec.Limits[i]; item.Type == corev1.LimitTypeContainer {
			maps.Copy(requests, item.DefaultRequest)
			maps.Copy(limits, item.Default)
		}
	}
	var notes []string
	each := func(list []corev1.Container, called string) {
		for i := range list {
			for _, part := range []struct {
				what     string
				stated   *corev1.ResourceList
				defaults corev1.ResourceList
			}{{"request", &list[i].Resources.Requests, requests}, {"limit", &list[i].Resources.Limits, limits}} {
				if names := complement(part.stated, part.defaults); len(names) > 0 {
					notes = append(notes, fmt.Sprintf("%s %s for %s %s", strings.Join(names, ", "), part.what, called, list[i].Name))
				}
			}
		}
	}
	each(pod.Spec.Containers, "container")
	each(pod.Spec.InitContainers, "init container")
	if len(notes) == 0 {
		return
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[limitRangerNote] = "LimitRanger plugin set: " + strings.Join(notes, "; ")
}

// complement adds what is not stated, and returns its names.
func complement(stated *corev1.ResourceList, defaults corev1.ResourceList) []string {
	var names []string
	for name, quantity := range defaults {
		if _, ok := (*stated)[name]; ok {
			continue
		}
		if *stated == nil {
			*stated = corev1.ResourceList{}
		}
		(*stated)[name] = quantity.DeepCopy()
		names = append(names, string(name))
	}
	slices.Sort(names)
	return names
}

// outside lists how the attempt leaves the bounds of one item.
func outside(item *corev1.LimitRangeItem, a *Attributes) []error {
	switch obj := a.Object.(type) {
	case *corev1.PersistentVolumeClaim:
		if item.Type == corev1.LimitTypePersistentVolumeClaim {
			return outsideStorage(item, obj.Spec.Resources.Requests)
		}
	case *corev1.Pod:
		switch item.Type {
		case corev1.LimitTypePod:
			options := resource.PodResourcesOptions{ExcludeOverhead: true}
			return outsideCompute(item, resource.PodRequests(obj, options), resource.PodLimits(obj, options))
		case corev1.LimitTypeContainer:
			var faults []error
			for _, list := range [][]corev1.Container{obj.Spec.Containers, obj.Spec.InitContainers} {
				for i := range list {
					faults = append(faults, outsideCompute(item, list[i].Resources.Requests, list[i].Resources.Limits)...)
				}
			}
			return faults
		}
	}
	return nil
}

func outsideCompute(item *corev1.LimitRangeItem, requests, limits corev1.ResourceList) []error {
	var faults []error
	check := func(bounds corev1.ResourceList, judge func(bound) error) {
		for _, name := range slices.Sorted(maps.Keys(bounds)) {
			b := bound{item.Type, name, bounds[name], quantityIn(requests, name), quantityIn(limits, name)}
			if err := judge(b); err != nil {
				faults = append(faults, err)
			}
		}
	}
	check(item.Min, bound.min)
	check(item.Max, bound.max)
	check(item.MaxLimitRequestRatio, bound.ratio)
	return faults
}

func outsideStorage(item *corev1.LimitRangeItem, requests corev1.ResourceList) []error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(item.Min)) {
		faults = append(faults, bound{item.Type, name, item.Min[name], quantityIn(requests, name), nil}.min())
	}
	for _, name := range slices.Sorted(maps.Keys(item.Max)) {
		b := bound{item.Type, name, item.Max[name], quantityIn(requests, name), nil}
		if b.request == nil {
			faults = append(faults, b.fault("maximum", ".  No request is specified"))
		} else if b.request.Cmp(b.value) > 0 {
			faults = append(faults, b.fault("maximum", fmt.Sprintf(", but request is %s", b.request)))
		}
	}
	return slices.DeleteFunc(faults, func(err error) bool { return err == nil })
}

func quantityIn(list corev1.ResourceList, name corev1.ResourceName) *quantities.Quantity {
	if quantity, ok := list[name]; ok {
		return &quantity
	}
	return nil
}

// bound of one resource, and what is stated of it (nil when nothing is).
type bound struct {
	of             corev1.LimitType
	name           corev1.ResourceName
	value          quantities.Quantity
	request, limit *quantities.Quantity
}

func (b bound) fault(what, rest string) error {
	return errors.New(fmt.Sprintf("%s %s usage per %s is %s", what, b.name, b.of, b.value.String()) + rest)
}

func (b bound) min() error {
	switch {
	case b.request == nil:
		return b.fault("minimum", ".  No request is specified")
	case b.request.Cmp(b.value) < 0:
		return b.fault("minimum", fmt.Sprintf(", but request is %s", b.request))
	case b.limit != nil && b.limit.Cmp(b.value) < 0:
		return b.fault("minimum", fmt.Sprintf(", but limit is %s", b.limit))
	}
	return nil
}

func (b bound) max() error {
	switch {
	case b.limit == nil:
		return b.fault("maximum", ".  No limit is specified")
	case b.limit.Cmp(b.value) > 0:
		return b.fault("maximum", fmt.Sprintf(", but limit is %s", b.limit))
	case b.request != nil && b.request.Cmp(b.value) > 0:
		return b.fault("maximum", fmt.Sprintf(", but request is %s", b.request))
	}
	return nil
}

// ratio bounds overcommitment: how many times the request the limit may be.
func (b bound) ratio() error {
	start := fmt.Sprintf("%s max limit to request ratio per %s is %s, but ", b.name, b.of, b.value.String())
	if b.request == nil || b.request.IsZero() {
		return errors.New(start + "no request is specified or request is 0")
	}
	if b.limit == nil || b.limit.IsZero() {
		return errors.New(start + "no limit is specified or limit is 0")
	}
	observed := b.limit.AsApproximateFloat64() / b.request.AsApproximateFloat64()
	if observed > b.value.AsApproximateFloat64() {
		return fmt.Errorf("%sprovided ratio is %f", start, observed)
	}
	return nil
}
