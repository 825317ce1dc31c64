package authz

import (
	"context"
	"errors"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// The resources of rbac.authorization.k8s.io.
var (
	roles               = schema.GroupResource{Group: rbacv1.GroupName, Resource: "roles"}
	roleBindings        = schema.GroupResource{Group: rbacv1.GroupName, Resource: "rolebindings"}
	clusterRoles        = schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterroles"}
	clusterRoleBindings = schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterrolebindings"}
)

// RBAC allows what a role that is bound to the user allows. It never denies.
type RBAC struct {
	reader objects.Reader
}

// NewRBAC reads roles and bindings from the cache on every request: an index would have to be as fresh as they are.
func NewRBAC(reader objects.Reader) *RBAC { return &RBAC{reader: reader} }

// Authorize implements Authorizer.
func (r *RBAC) Authorize(ctx context.Context, a *Attributes) (Decision, string, error) {
	var reason string
	namespace := ""
	if a.IsResource {
		namespace = a.Namespace
	}
	err := r.visit(ctx, a.User, namespace, func(rules []rbacv1.PolicyRule, because string) bool {
		if !Permits(rules, a) {
			return true
		}
		reason = because
		return false
	})
	if reason != "" {
		return Allow, reason, nil
	}
	if err != nil {
		return NoOpinion, fmt.Sprintf("RBAC: %v", err), nil
	}
	return NoOpinion, "", nil
}

// RulesFor returns every rule that applies to the user in a namespace, and what could not be resolved on the way.
func (r *RBAC) RulesFor(ctx context.Context, user *request.User, namespace string) ([]rbacv1.PolicyRule, error) {
	var all []rbacv1.PolicyRule
	err := r.visit(ctx, user, namespace, func(rules []rbacv1.PolicyRule, _ string) bool {
		all = append(all, rules...)
		return true
	})
	return all, err
}

// visit hands over the rules of each binding of the user until use returns false. A binding of a missing role is reported and skipped.
func (r *RBAC) visit(ctx context.Context, user *request.User, namespace string, use func(rules []rbacv1.PolicyRule, because string) bool) error {
	bindings, err := r.reader.List(ctx, clusterRoleBindings, "", nil)
	if err != nil {
		return err
	}
	var faults []error
	for _, obj := range bindings {
		b := obj.(*rbacv1.ClusterRoleBinding)
		subject := find(b.Subjects, user, "")
		if subject == nil {
			continue
		}
		rules, err := r.RulesOf(ctx, b.RoleRef, "")
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if !use(rules, fmt.Sprintf("RBAC: allowed by ClusterRoleBinding %q of %s %q to %s", b.Name, b.RoleRef.Kind, b.RoleRef.Name, describe(subject, ""))) {
			return nil
		}
	}
	if namespace == "" {
		return errors.Join(faults...)
	}
	bindings, err = r.reader.List(ctx, roleBindings, namespace, nil)
	if err != nil {
		return err
	}
	for _, obj := range bindings {
		b := obj.(*rbacv1.RoleBinding)
		subject := find(b.Subjects, user, namespace)
		if subject == nil {
			continue
		}
		rules, err := r.RulesOf(ctx, b.RoleRef, namespace)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if !use(rules, fmt.Sprintf("RBAC: allowed by RoleBinding %q of %s %q to %s", b.Name+"/"+b.Namespace, b.RoleRef.Kind, b.RoleRef.Name, describe(subject, namespace))) {
			return nil
		}
	}
	return errors.Join(faults...)
}

// RulesOf the role that a binding in a namespace refers to.
func (r *RBAC) RulesOf(ctx context.Context, ref rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule, error) {
	switch ref.Kind {
	case "Role":
		obj, err := r.reader.Get(ctx, roles, namespace, ref.Name)
		if err != nil {
			return nil, missing(err, "role", ref.Name)
		}
		return obj.(*rbacv1.Role).Rules, nil
	case "ClusterRole":
		obj, err := r.reader.Get(ctx, clusterRoles, "", ref.Name)
		if err != nil {
			return nil, missing(err, "clusterrole", ref.Name)
		}
		return obj.(*rbacv1.ClusterRole).Rules, nil
	}
	return nil, fmt.Errorf("unsupported role reference kind: %q", ref.Kind)
}

// ErrNoRole is in the error about a binding whose role does not exist.
var ErrNoRole = errors.New("not found")

func missing(err error, resource, name string) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("%s.%s %q %w", resource, rbacv1.GroupName, name, ErrNoRole)
	}
	return err
}

// find returns the subject that is the user.
func find(subjects []rbacv1.Subject, user *request.User, namespace string) *rbacv1.Subject {
	for i := range subjects {
		if applies(&subjects[i], user, namespace) {
			return &subjects[i]
		}
	}
	return nil
}

func applies(s *rbacv1.Subject, user *request.User, namespace string) bool {
	switch s.Kind {
	case rbacv1.UserKind:
		return user.Name == s.Name
	case rbacv1.GroupKind:
		return user.InGroup(s.Name)
	case rbacv1.ServiceAccountKind:
		in := s.Namespace
		if in == "" {
			in = namespace
		}
		return in != "" && user.Name == request.ServiceAccountStart+in+":"+s.Name
	}
	return false
}

func describe(s *rbacv1.Subject, namespace string) string {
	if s.Kind != rbacv1.ServiceAccountKind {
		return fmt.Sprintf("%s %q", s.Kind, s.Name)
	}
	in := s.Namespace
	if in == "" {
		in = namespace
	}
	return fmt.Sprintf("%s %q", s.Kind, s.Name+"/"+in)
}
