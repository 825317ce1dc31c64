package apiserver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

const extraHeader = "Impersonate-Extra-"

// impersonated lets a user act as another one, if it may impersonate each name, group and extra that its headers claim.
func (c *chain) impersonated(r *http.Request, user *request.User) (*request.User, error) {
	name := r.Header.Get("Impersonate-User")
	if name == "" {
		return user, nil
	}
	other := &request.User{Name: name, UID: r.Header.Get("Impersonate-Uid"), Groups: r.Header.Values("Impersonate-Group"), Extra: map[string][]string{}}
	for header, values := range r.Header {
		if key, ok := strings.CutPrefix(header, extraHeader); ok {
			if plain, err := url.PathUnescape(strings.ToLower(key)); err == nil {
				other.Extra[plain] = values
			}
		}
	}
	for _, claim := range claims(other) {
		claim.IsResource, claim.Verb = true, "impersonate"
		if err := c.authorize(r.Context(), &authz.Attributes{User: user, Info: claim}); err != nil {
			return nil, err
		}
	}
	complete(other)
	return other, nil
}

// claims are the pseudo resources that must be allowed.
func claims(other *request.User) []request.Info {
	var all []request.Info
	if namespace, name, ok := other.ServiceAccount(); ok {
		all = append(all, request.Info{Version: "v1", Resource: "serviceaccounts", Namespace: namespace, Name: name})
	} else {
		all = append(all, request.Info{Version: "v1", Resource: "users", Name: other.Name})
	}
	for _, g := range other.Groups {
		all = append(all, request.Info{Version: "v1", Resource: "groups", Name: g})
	}
	if other.UID != "" {
		all = append(all, request.Info{Group: "authentication.k8s.io", Version: "v1", Resource: "uids", Name: other.UID})
	}
	for key, values := range other.Extra {
		for _, value := range values {
			all = append(all, request.Info{Group: "authentication.k8s.io", Version: "v1", Resource: "userextras", Subresource: key, Name: value})
		}
	}
	return all
}

// complete adds the groups that every such user is in.
func complete(u *request.User) {
	if namespace, _, ok := u.ServiceAccount(); ok && len(u.Groups) == 0 {
		u.Groups = []string{request.ServiceAccountsGrp, request.ServiceAccountsGrp + ":" + namespace}
	}
	group := request.AuthenticatedGroup
	if u.Name == request.Anonymous {
		group = request.UnauthenticatedGrp
	}
	if !u.InGroup(group) {
		u.Groups = append(u.Groups, group)
	}
}
