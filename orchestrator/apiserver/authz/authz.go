// Package authz decides whether a user may do what a request asks: Node, then RBAC; the first that has an opinion wins.
//
// The chain calls it on each request, and the access review endpoints on behalf of others. It reads roles, bindings and the objects that tie
// nodes to secrets through objects.Reader, never with informers of its own.
package authz

import (
	"context"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Decision of an authorizer.
type Decision int

// NoOpinion lets the next authorizer speak; when none has one, the answer is no.
const (
	NoOpinion Decision = iota
	Allow
	Deny
)

// Attributes is what is asked for.
type Attributes struct {
	User *request.User
	request.Info
	// Selectors narrow list, watch and deletecollection; nil when the request has none.
	FieldSelector fields.Selector
	LabelSelector labels.Selector
}

// Authorizer judges. The reason goes into the 403's message.
type Authorizer interface {
	Authorize(ctx context.Context, a *Attributes) (d Decision, reason string, err error)
}
