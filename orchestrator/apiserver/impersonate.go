package apiserver

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

const extraHeader = "Impersonate-Extra-"

// impersonated lets a user act as another one, if it may impersonate each name, group and extra that its headers claim.
func (c *chain) impersonated(r *http.Request, user *request.User) (*request.User, error) {
	other := &request.User{Name: r.Header.Get("Impersonate-User"), UID: r.Header.Get("Impersonate-Uid"), Groups: r.Header.Values("Impersonate-Group")}
	for header, values := range r.Header {
		if key, ok := strings.CutPrefix(header, extraHeader); ok {
			if other.Extra == nil {
				other.Extra = map[string][]string{}
			}
			key = strings.ToLower(key)
			if plain, err := url.PathUnescape(key); err == nil {
				key = plain
			}
			other.Extra[key] = values
		}
	}
	if other.Name == "" {
		return user, nameless(other)
	}
	for _, claim := range claims(other) {
		claim.IsResource, claim.Verb = true, "impersonate"
		if err := c.authorize(r.Context(), &authz.Attributes{User: user, Info: claim}); err != nil {
			return nil, err
		}
	}
	complete(other)
	consume(r.Header)
	return other, nil
}

// consume takes away the headers that have been obeyed: whoever a request is passed on to must not obey them again.
func consume(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Impersonate-") {
			h.Del(name)
		}
	}
}

// nameless: groups, a UID or extras alone make nobody. Stock prints its own struct.
func nameless(other *request.User) error {
	if other.UID == "" && len(other.Groups) == 0 && len(other.Extra) == 0 {
		return nil
	}
	return apierrors.NewBadRequest(fmt.Sprintf("requested &user.DefaultInfo{Name:\"\", UID:%q, Groups:%#v, Extra:%#v} without impersonating a user name",
		other.UID, other.Groups, other.Extra))
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
	if u.InGroup(request.AuthenticatedGroup) || u.InGroup(request.UnauthenticatedGrp) {
		return
	}
	group := request.AuthenticatedGroup
	if u.Name == request.Anonymous {
		group = request.UnauthenticatedGrp
	}
	u.Groups = append(u.Groups, group)
}
