package authn

import (
	"crypto/x509"
	"errors"
	"net/http"
	"slices"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Config of authentication. A part that is nil is off.
type Config struct {
	// ClientCA verifies client certificates.
	ClientCA *x509.CertPool
	// FrontProxy believes the user headers of requests whose certificate it trusts.
	FrontProxy *FrontProxy
	// Tokens verifies bearer tokens.
	Tokens *token.Verifier
	// Anonymous lets requests without any credential in, as system:anonymous.
	Anonymous bool
}

// ErrUnauthorized is the answer to a credential that nothing accepts.
var ErrUnauthorized = errors.New("invalid credentials")

// New returns the one authenticator: front proxy, certificate, token, anonymous, in this order.
func New(cfg Config) Authenticator {
	u := &union{anonymous: cfg.Anonymous, proxied: cfg.FrontProxy}
	if cfg.FrontProxy != nil {
		u.members = append(u.members, cfg.FrontProxy)
	}
	if cfg.ClientCA != nil {
		u.members = append(u.members, &certificate{roots: cfg.ClientCA, signed: newSignatures()})
	}
	if cfg.Tokens != nil {
		u.members = append(u.members, &bearer{tokens: cfg.Tokens})
	}
	return u
}

type union struct {
	members   []Authenticator
	anonymous bool
	proxied   *FrontProxy
}

// Authenticate implements Authenticator. A request that gets in has lost the headers that name a user, whether they were believed or not.
func (u *union) Authenticate(r *http.Request) (*request.User, bool, error) {
	var faults []error
	for _, m := range u.members {
		user, ok, err := m.Authenticate(r)
		if ok {
			u.proxied.strip(r.Header)
			return WithAuthenticated(user), true, nil
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, false, errors.Join(faults...)
	}
	if raw, _, err := bearerToken(r); raw != "" || err != nil {
		return nil, false, ErrUnauthorized
	}
	if !u.anonymous {
		return nil, false, nil
	}
	u.proxied.strip(r.Header)
	return &request.User{Name: request.Anonymous, Groups: []string{request.UnauthenticatedGrp}}, true, nil
}

// WithAuthenticated adds the group of everyone who is known, at the end as stock does. It does not alter its argument.
func WithAuthenticated(user *request.User) *request.User {
	if user.Name == request.Anonymous || user.InGroup(request.AuthenticatedGroup) || user.InGroup(request.UnauthenticatedGrp) {
		return user
	}
	with := *user
	with.Groups = append(slices.Clone(user.Groups), request.AuthenticatedGroup)
	return &with
}
