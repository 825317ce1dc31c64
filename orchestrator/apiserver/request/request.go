// Package request says what one HTTP request asks for and who asks: the vocabulary of the chain.
//
// The chain fills an Info from the URL and the authenticated User, and hands both on in the context; authz, admission and endpoint read
// them. It imports nothing of ours.
package request

import (
	"context"
	"strings"
)

// User is who sent a request.
type User struct {
	Name   string
	UID    string
	Groups []string
	Extra  map[string][]string
}

// Info is what a request asks for, taken from its method and URL.
type Info struct {
	// IsResource is false for /healthz, /version, /api, /apis and their likes: then only Verb (the lower-case method) and Path count.
	IsResource bool
	Path       string
	// Verb is get list watch create update patch delete deletecollection, or connect's method-specific verb for streams.
	Verb        string
	Group       string
	Version     string
	Namespace   string
	Resource    string
	Subresource string
	// Parts below the subresource: the path behind .../proxy/.
	Tail string
	Name string
}

type contextKey int

const (
	infoKey contextKey = iota
	userKey
)

// With returns ctx carrying the request's Info and User.
func With(ctx context.Context, info *Info, user *User) context.Context {
	return context.WithValue(context.WithValue(ctx, infoKey, info), userKey, user)
}

// InfoFrom returns the Info of ctx, or an empty one.
func InfoFrom(ctx context.Context) *Info {
	if i, ok := ctx.Value(infoKey).(*Info); ok {
		return i
	}
	return &Info{}
}

// UserFrom returns the User of ctx, or an empty one.
func UserFrom(ctx context.Context) *User {
	if u, ok := ctx.Value(userKey).(*User); ok {
		return u
	}
	return &User{}
}

// Well-known users and groups (KEP-less: API reference "Authenticating").
const (
	Anonymous           = "system:anonymous"
	Apiserver           = "system:apiserver"
	AuthenticatedGroup  = "system:authenticated"
	UnauthenticatedGrp  = "system:unauthenticated"
	MastersGroup        = "system:masters"
	NodesGroup          = "system:nodes"
	NodeUserPrefix      = "system:node:"
	ServiceAccountsGrp  = "system:serviceaccounts"
	ServiceAccountStart = "system:serviceaccount:"
)

// ServiceAccount splits system:serviceaccount:NAMESPACE:NAME; ok is false for every other user name.
func (u *User) ServiceAccount() (namespace, name string, ok bool) {
	rest, found := strings.CutPrefix(u.Name, ServiceAccountStart)
	if !found {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok && namespace != "" && name != ""
}

// InGroup is true when the user is a member of the group.
func (u *User) InGroup(group string) bool {
	for _, g := range u.Groups {
		if g == group {
			return true
		}
	}
	return false
}
