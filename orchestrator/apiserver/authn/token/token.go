// Package token issues and verifies the tokens of ServiceAccounts: signed JSON Web Tokens for an audience and a time, bound to objects that
// must still exist.
//
// subresource issues them (serviceaccounts/token); authn verifies them on requests and for TokenReviews. It is handed keys and keeps no state
// but remembered signatures. The names of the claims are stock's, so that tokens survive a swap of apiservers.
package token

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// Private is the claim kubernetes.io: whose token it is, and what it is bound to.
type Private struct {
	Namespace      string     `json:"namespace,omitempty"`
	ServiceAccount *Reference `json:"serviceaccount,omitempty"`
	Pod            *Reference `json:"pod,omitempty"`
	Secret         *Reference `json:"secret,omitempty"`
	Node           *Reference `json:"node,omitempty"`
	// WarnAfter, in seconds since 1970, is when a client that still uses an extended token should be told (TokenRequest, expirationSeconds 3607).
	WarnAfter int64 `json:"warnafter,omitempty"`
}

// Reference names an object by name and identity.
type Reference struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// Ref is the reference of an object.
func Ref(name string, uid types.UID) *Reference { return &Reference{Name: name, UID: string(uid)} }

// overlap returns the wanted audiences that a token is for.
func overlap(of, wanted []string) []string {
	var both []string
	for _, a := range wanted {
		if slices.Contains(of, a) {
			both = append(both, a)
		}
	}
	return both
}
