package authz

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Permits is true when one of the rules allows what is asked for.
func Permits(rules []rbacv1.PolicyRule, a *Attributes) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return permits(&r, a) })
}

func permits(r *rbacv1.PolicyRule, a *Attributes) bool {
	if !has(r.Verbs, a.Verb) {
		return false
	}
	if !a.IsResource {
		return slices.ContainsFunc(r.NonResourceURLs, func(pattern string) bool { return pathMatches(pattern, a.Path) })
	}
	return has(r.APIGroups, a.Group) && resourceMatches(r.Resources, a.Resource, a.Subresource) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, a.Name))
}

// has is membership, with * for everything.
func has(set []string, one string) bool {
	return slices.Contains(set, one) || slices.Contains(set, "*")
}

// resourceMatches knows pods, pods/log, */scale (a subresource of everything) and *.
func resourceMatches(set []string, resource, subresource string) bool {
	for _, s := range set {
		if s == "*" {
			return true
		}
		base, sub, _ := strings.Cut(s, "/")
		if sub == subresource && (base == resource || (base == "*" && sub != "")) {
			return true
		}
	}
	return false
}

// pathMatches: a star at the end stands for any rest.
func pathMatches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}
