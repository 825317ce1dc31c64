package openapi

import (
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// plain are the operations that are about no group: discovery's roots, the version, the keys of service account tokens. By document.
func plain() map[string]*operation {
	text := []string{"application/json"}
	return map[string]*operation{
		"api":  discovered("/api/", "getCoreAPIVersions", "core", "get available API versions", metav1.APIVersions{}),
		"apis": discovered("/apis/", "getAPIVersions", "apis", "get available API versions", metav1.APIGroupList{}),
		"version": {
			method: http.MethodGet, path: "/version/", id: "getCodeVersion", tag: "version", description: "get the version information for this server",
			consumes: text, makes: text, answers: answers(version.Info{}, 200),
		},
		".well-known/openid-configuration": {
			method: http.MethodGet, path: "/.well-known/openid-configuration/", id: "getServiceAccountIssuerOpenIDConfiguration", tag: "WellKnown",
			description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'", makes: text, answers: answers("", 200),
		},
		"openid/v1/jwks": {
			method: http.MethodGet, path: "/openid/v1/jwks/", id: "getServiceAccountIssuerOpenIDKeyset", tag: "openid", makes: []string{"application/jwk-set+json"},
			description: "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)", answers: answers("", 200),
		},
	}
}

func discovered(path, id, tag, description string, sample any) *operation {
	return &operation{
		method: http.MethodGet, path: path, id: id, tag: tag, description: description, consumes: objects, makes: objects, answers: answers(sample, 200),
	}
}

// groupOperation reads what versions a group has.
func groupOperation(group string) *operation {
	return discovered("/apis/"+group+"/", "get"+friendly(group)+"APIGroup", tag(group, ""), "get information of a group", metav1.APIGroup{})
}

// resourcesOperation reads what resources a group version has.
func resourcesOperation(gv schema.GroupVersion) *operation {
	return discovered("/"+place(gv)+"/", identifier(gv, "get", "APIResources"), tag(gv.Group, gv.Version), "get available resources", metav1.APIResourceList{})
}

func lower(method string) string { return strings.ToLower(method) }
