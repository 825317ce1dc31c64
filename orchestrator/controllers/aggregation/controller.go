// Package aggregation fills ClusterRoles that have an aggregation rule with the rules of the ClusterRoles that it selects: admin, edit and view grow
// with what is installed.
//
// It owns the rules of such ClusterRoles. ClusterRoles feed it, and the RBAC authorizer reads what it writes.
package aggregation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// manager of the rules field.
const manager = "clusterrole-aggregation-controller"

// Run aggregates until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	roles := w.Informers.Rbac().V1().ClusterRoles()
	l := loop.New(ctx, 5, w.Logger, func(ctx context.Context, name string) error {
		role, err := roles.Lister().Get(name)
		if apierrors.IsNotFound(err) || err == nil && role.AggregationRule == nil {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := roles.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		rules, err := union(role, all)
		if err != nil {
			return err
		}
		return apply(ctx, w, role, rules)
	})
	loop.On(l, roles.Informer(), func(old, new *rbac.ClusterRole) {
		if old != nil && new != nil && old.ResourceVersion == new.ResourceVersion {
			return
		}
		all, err := roles.Lister().List(labels.Everything())
		if err != nil {
			return
		}
		for _, role := range all {
			if role.AggregationRule != nil {
				l.Add(role.Name)
			}
		}
	})
	return l.Run(ctx)
}

// union of the rules that a role selects, each once, in the order of the roles' names.
func union(role *rbac.ClusterRole, all []*rbac.ClusterRole) ([]rbac.PolicyRule, error) {
	out := []rbac.PolicyRule{}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *rbac.ClusterRole) int { return strings.Compare(a.Name, b.Name) })
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := meta.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return nil, fmt.Errorf("selector %d of cluster role %s: %w", i, role.Name, err)
		}
		for _, other := range all {
			if other.Name == role.Name || !selector.Matches(labels.Set(other.Labels)) {
				continue
			}
			for _, rule := range other.Rules {
				if !slices.ContainsFunc(out, func(r rbac.PolicyRule) bool { return equality.Semantic.DeepEqual(r, rule) }) {
					out = append(out, rule)
				}
			}
		}
	}
	return out, nil
}

func apply(ctx context.Context, w *world.World, role *rbac.ClusterRole, rules []rbac.PolicyRule) error {
	if equality.Semantic.DeepEqual(role.Rules, rules) {
		return nil
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": role.Name}, "rules": rules,
	})
	if err != nil {
		return err
	}
	force := true
	_, err = w.Client.RbacV1().ClusterRoles().Patch(ctx, role.Name, types.ApplyPatchType, body, meta.PatchOptions{FieldManager: manager, Force: &force})
	if apierrors.IsUnsupportedMediaType(err) {
		role = role.DeepCopy()
		role.Rules = rules
		_, err = w.Client.RbacV1().ClusterRoles().Update(ctx, role, meta.UpdateOptions{})
	}
	return err
}
