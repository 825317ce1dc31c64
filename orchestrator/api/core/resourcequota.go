package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// ResourceQuota is the catalogue entry of resourcequotas.
func ResourceQuota() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Kind: "ResourceQuota", Resource: "resourcequotas", Singular: "resourcequota", ShortNames: []string{"quota"}},
		Namespaced: true,
		Returned:   true,
		Versions:   []kind.Version{kind.Served("v1", &corev1.ResourceQuota{}, &corev1.ResourceQuotaList{})},
		Storage:    kind.Stored("resourcequotas", corev1.SchemeGroupVersion, &corev1.ResourceQuota{}),
		Columns: kind.Table("Name;Request;Limit;Age", map[string]string{
			"Request": "Requested quantity and the hard bound of each request.", "Limit": "Limited quantity and the hard bound of each limit."}),
		Cells: kind.Cells(quotaCells),
		Rules: kind.Typed[*corev1.ResourceQuota]{
			PrepareCreate:       func(_ context.Context, q *corev1.ResourceQuota) { q.Status = corev1.ResourceQuotaStatus{} },
			PrepareUpdate:       func(_ context.Context, q, old *corev1.ResourceQuota) { q.Status = old.Status },
			ValidateCreate:      validateQuota,
			ValidateUpdate:      validateQuotaUpdate,
			UnconditionalUpdate: true,
		}.Rules(),
		Subresources: map[string]kind.Subresource{
			"status": kind.Status(kind.Typed[*corev1.ResourceQuota]{
				PrepareUpdate: func(_ context.Context, q, old *corev1.ResourceQuota) { q.Spec = old.Spec },
			}.Rules()),
		},
	}
}

func quotaCells(q *corev1.ResourceQuota, now time.Time) []any {
	var names []string
	for name := range q.Status.Hard {
		names = append(names, string(name))
	}
	slices.Sort(names)
	var requests, limits []string
	for _, name := range names {
		text := fmt.Sprintf("%s: %s/%s", name, quantityText(q.Status.Used, corev1.ResourceName(name)), quantityText(q.Status.Hard, corev1.ResourceName(name)))
		if strings.HasPrefix(name, "limits") {
			limits = append(limits, text)
		} else {
			requests = append(requests, text)
		}
	}
	return []any{q.Name, strings.Join(requests, ", "), strings.Join(limits, ", "), kind.Age(q, now)}
}
