// Package escalation keeps writers of roles and bindings from granting more than they hold themselves.
//
// It stands around the admission chain: every write passes it, it lets the chain alter the object and then looks at the RBAC kinds.
// Who holds everything anyway (system:masters), or may "escalate" the role or "bind" the role of the binding, is not asked further. It reads
// roles and bindings through objects.Reader, as the RBAC authorizer does, and fills nothing in.
package escalation

import (
	"context"
	"errors"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Guard is a judge that refuses escalations, and leaves the rest to the one that it stands around.
type Guard struct {
	admission.Judge
	authorizer authz.Authorizer
	reader     objects.Reader
	rbac       *authz.RBAC
}

// New guards the writes that pass the inner judge.
func New(inner admission.Judge, authorizer authz.Authorizer, reader objects.Reader) *Guard {
	return &Guard{Judge: inner, authorizer: authorizer, reader: reader, rbac: authz.NewRBAC(reader)}
}

// Admit lets the inner judge alter the object, then judges what it has become.
func (g *Guard) Admit(ctx context.Context, a *admission.Attributes) error {
	if err := g.Judge.Admit(ctx, a); err != nil {
		return err
	}
	if a.Kind.Group != rbacv1.GroupName || a.Subresource != "" || a.Object == nil || a.User.InGroup(request.MastersGroup) || onlyHousekeeping(a) {
		return nil
	}
	err := g.judge(ctx, a)
	if err == nil {
		return nil
	}
	// A refusal is believed only when it was made from what is committed: the right may have been granted a moment ago through another apiserver.
	if barrier := g.reader.Barrier(ctx); barrier != nil {
		return err
	}
	return g.judge(ctx, a)
}

// onlyHousekeeping: the garbage collector may change owners and finalizers of roles that it could not grant.
func onlyHousekeeping(a *admission.Attributes) bool {
	old, ok := a.Old.(kind.Object)
	if !ok {
		return false
	}
	changed, ok := a.Object.DeepCopyObject().(kind.Object)
	if !ok {
		return false
	}
	changed.SetOwnerReferences(old.GetOwnerReferences())
	changed.SetFinalizers(old.GetFinalizers())
	changed.SetManagedFields(old.GetManagedFields())
	return equality.Semantic.DeepEqual(changed, old)
}

func (g *Guard) judge(ctx context.Context, a *admission.Attributes) error {
	switch obj := a.Object.(type) {
	case *rbacv1.Role:
		return g.role(ctx, a, obj.Rules, false)
	case *rbacv1.ClusterRole:
		old, _ := a.Old.(*rbacv1.ClusterRole)
		return g.role(ctx, a, obj.Rules, aggregates(obj) || aggregates(old))
	case *rbacv1.RoleBinding:
		return g.binding(ctx, a, obj.RoleRef)
	case *rbacv1.ClusterRoleBinding:
		return g.binding(ctx, a, obj.RoleRef)
	}
	return nil
}

func aggregates(role *rbacv1.ClusterRole) bool {
	return role != nil && role.AggregationRule != nil && len(role.AggregationRule.ClusterRoleSelectors) > 0
}

// everything is what an aggregation rule may gather, now or later.
var everything = []rbacv1.PolicyRule{
	{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
	{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}},
}

func (g *Guard) role(ctx context.Context, a *admission.Attributes, rules []rbacv1.PolicyRule, aggregated bool) error {
	asked := request.InfoFrom(ctx)
	if g.may(ctx, a.User, request.Info{Verb: "escalate", Group: a.Kind.Group, Resource: a.Kind.Resource, Name: asked.Name, Namespace: asked.Namespace}) {
		return nil
	}
	if err := g.covers(ctx, a, rules); err != nil {
		return forbidden(a, err)
	}
	if aggregated && g.covers(ctx, a, everything) != nil {
		return forbidden(a, errors.New("must have cluster-admin privileges to use the aggregationRule"))
	}
	return nil
}

// forbidden names the object as it is called in its body: a name still to be generated is empty.
func forbidden(a *admission.Attributes, err error) error {
	return apierrors.NewForbidden(a.Kind.GroupResource(), a.Name, err)
}

func (g *Guard) binding(ctx context.Context, a *admission.Attributes, ref rbacv1.RoleRef) error {
	role := request.Info{Verb: "bind", Group: ref.APIGroup, Namespace: a.Namespace, Name: ref.Name}
	switch ref.Kind {
	case "ClusterRole":
		role.Resource = "clusterroles"
	case "Role":
		role.Resource = "roles"
	}
	if role.Resource != "" && g.may(ctx, a.User, role) {
		return nil
	}
	rules, err := g.rbac.RulesOf(ctx, ref, a.Namespace)
	if err != nil {
		return unresolved(err, a, ref)
	}
	if err := g.covers(ctx, a, rules); err != nil {
		return forbidden(a, err)
	}
	return nil
}

// unresolved: a binding of a role that does not exist can only be made by those who may bind it. Stock names the binding's resource, not the role's.
func unresolved(err error, a *admission.Attributes, ref rbacv1.RoleRef) error {
	if errors.Is(err, authz.ErrNoRole) {
		return apierrors.NewNotFound(a.Kind.GroupResource(), ref.Name)
	}
	return apierrors.NewInternalError(err)
}

func (g *Guard) may(ctx context.Context, user *request.User, what request.Info) bool {
	what.IsResource, what.Version = true, "*"
	decision, _, err := g.authorizer.Authorize(ctx, &authz.Attributes{User: user, Info: what})
	return err == nil && decision == authz.Allow
}
