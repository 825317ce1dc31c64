package core

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// LimitRange is the catalogue entry of limitranges.
func LimitRange() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "LimitRange", Resource: "limitranges", Singular: "limitrange", ShortNames: []string{"limits"}},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.LimitRange{}, &corev1.LimitRangeList{})},
		Storage:    kind.Stored("limitranges", corev1.SchemeGroupVersion, &corev1.LimitRange{}),
		Columns:    kind.Table("Name;Created At:date", nil),
		Cells: kind.Cells(func(l *corev1.LimitRange, _ time.Time) []any {
			return []any{l.Name, l.CreationTimestamp.UTC().Format(time.RFC3339)}
		}),
		Rules: kind.Typed[*corev1.LimitRange]{
			Default: func(l *corev1.LimitRange) {
				for i := range l.Spec.Limits {
					defaultLimit(&l.Spec.Limits[i])
				}
			},
			ValidateCreate:      validateLimitRange,
			ValidateUpdate:      validateLimitRangeUpdate,
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

// defaultLimit derives default limits from the maximum, and default requests from the default limits or else the minimum.
func defaultLimit(item *corev1.LimitRangeItem) {
	if item.Type != corev1.LimitTypeContainer {
		return
	}
	item.Default = fill(item.Default, item.Max)
	item.DefaultRequest = fill(item.DefaultRequest, item.Default)
	item.DefaultRequest = fill(item.DefaultRequest, item.Min)
}

func fill(into, from corev1.ResourceList) corev1.ResourceList {
	if into == nil {
		into = corev1.ResourceList{}
	}
	for name, amount := range from {
		if _, set := into[name]; !set {
			into[name] = amount.DeepCopy()
		}
	}
	return into
}

// quantityText is how tables show an amount that may be missing.
func quantityText(list corev1.ResourceList, name corev1.ResourceName) string {
	amount, has := list[name]
	if !has {
		amount = resource.Quantity{}
	}
	return amount.String()
}
