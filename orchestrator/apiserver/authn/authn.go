// Package authn finds out who sent a request: front proxy, client certificate, bearer token (ServiceAccount), or nobody (anonymous).
//
// The chain calls the one Authenticator and gets a request.User, which authorization judges; it reads ServiceAccounts, Secrets, Pods and Nodes
// through objects.Reader. It decides nothing about rights.
package authn

import (
	"net/http"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Authenticator names the sender of a request. ok is false when it recognises no credential; err when there is one and it is bad
// (the answer is then 401 either way, unless a later authenticator accepts).
type Authenticator interface {
	Authenticate(r *http.Request) (user *request.User, ok bool, err error)
}
