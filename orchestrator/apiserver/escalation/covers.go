package escalation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
)

// covers is nil when the writer's own rules allow everything that the granted ones do; the error lists what is missing.
func (g *Guard) covers(ctx context.Context, a *admission.Attributes, granted []rbacv1.PolicyRule) error {
	own, unresolved := g.rbac.RulesFor(ctx, a.User, a.Namespace)
	ok, missing := validation.Covers(own, granted)
	if ok {
		return nil
	}
	var lines []string
	for _, rule := range merged(missing) {
		lines = append(lines, line(&rule))
	}
	slices.Sort(lines)
	message := fmt.Sprintf("user %q (groups=%q) is attempting to grant RBAC permissions not currently held:\n%s",
		a.User.Name, a.User.Groups, strings.Join(slices.Compact(lines), "\n"))
	if unresolved != nil {
		message += fmt.Sprintf("; resolution errors: %v", []error{unresolved})
	}
	return errors.New(message)
}

// merged joins the verbs of rules about the same one resource, for a shorter message. Other rules stay as they are.
func merged(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var all []rbacv1.PolicyRule
	places := map[string]int{}
	for _, rule := range rules {
		if len(rule.APIGroups) != 1 || len(rule.Resources) != 1 || len(rule.ResourceNames) > 1 || len(rule.NonResourceURLs) > 0 {
			all = append(all, rule)
			continue
		}
		place := fmt.Sprintf("%q", []any{rule.APIGroups, rule.Resources, rule.ResourceNames})
		if i, ok := places[place]; ok {
			all[i].Verbs = append(all[i].Verbs, rule.Verbs...)
			continue
		}
		places[place] = len(all)
		all = append(all, *rule.DeepCopy())
	}
	return all
}

// line is a rule as people read it in a refusal.
func line(r *rbacv1.PolicyRule) string {
	var parts []string
	for _, field := range []struct {
		name   string
		values []string
	}{
		{"APIGroups", r.APIGroups}, {"Resources", r.Resources}, {"NonResourceURLs", r.NonResourceURLs}, {"ResourceNames", r.ResourceNames}, {"Verbs", r.Verbs},
	} {
		if len(field.values) > 0 {
			parts = append(parts, fmt.Sprintf("%s:%q", field.name, field.values))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
