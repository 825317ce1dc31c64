package authz

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Modes of --authorization-mode.
const (
	ModeNode        = "Node"
	ModeRBAC        = "RBAC"
	ModeAlwaysAllow = "AlwaysAllow"
	ModeAlwaysDeny  = "AlwaysDeny"
)

// New returns the authorizer of the modes in their order, behind the short cut of system:masters.
func New(reader objects.Reader, modes []string) (Authorizer, error) {
	u := union{masters{}}
	for _, mode := range modes {
		switch mode {
		case ModeNode:
			u = append(u, NewNode(reader))
		case ModeRBAC:
			u = append(u, NewRBAC(reader))
		case ModeAlwaysAllow:
			u = append(u, always{Allow, ""})
		case ModeAlwaysDeny:
			u = append(u, always{NoOpinion, "Everything is forbidden."})
		default:
			return nil, fmt.Errorf("%q is not a valid mode", mode)
		}
	}
	return u, nil
}

type union []Authorizer

// Authorize implements Authorizer: the first opinion wins. Reasons of those without one are kept for the refusal.
func (u union) Authorize(ctx context.Context, a *Attributes) (Decision, string, error) {
	var reasons []string
	var fault error
	for _, member := range u {
		d, reason, err := member.Authorize(ctx, a)
		if d != NoOpinion {
			return d, reason, err
		}
		if reason != "" {
			reasons = append(reasons, reason)
		}
		if err != nil {
			fault = err
		}
	}
	return NoOpinion, strings.Join(reasons, "\n"), fault
}

type masters struct{}

func (masters) Authorize(_ context.Context, a *Attributes) (Decision, string, error) {
	if a.User.InGroup(request.MastersGroup) {
		return Allow, "", nil
	}
	return NoOpinion, "", nil
}

type always struct {
	decision Decision
	reason   string
}

func (d always) Authorize(context.Context, *Attributes) (Decision, string, error) {
	return d.decision, d.reason, nil
}

// Refusal is the sentence of a 403 about an attempt; the reason of the authorizers follows when they gave one.
func Refusal(a *Attributes, reason string) string {
	text := refused(a)
	if reason != "" {
		text += ": " + reason
	}
	return text
}

func refused(a *Attributes) string {
	if !a.IsResource {
		return fmt.Sprintf("User %q cannot %s path %q", a.User.Name, a.Verb, a.Path)
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	text := fmt.Sprintf("User %q cannot %s resource %q in API group %q", a.User.Name, a.Verb, resource, a.Group)
	if a.Namespace != "" {
		return text + fmt.Sprintf(" in the namespace %q", a.Namespace)
	}
	return text + " at the cluster scope"
}
