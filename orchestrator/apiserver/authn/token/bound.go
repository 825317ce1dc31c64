package token

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Extra keys of users that a token names.
const (
	ExtraCredentialID = "authentication.kubernetes.io/credential-id"
	ExtraPodName      = "authentication.kubernetes.io/pod-name"
	ExtraPodUID       = "authentication.kubernetes.io/pod-uid"
	ExtraNodeName     = "authentication.kubernetes.io/node-name"
	ExtraNodeUID      = "authentication.kubernetes.io/node-uid"
)

// deletionLeeway is how long a token outlives the deletion timestamp of what it is bound to: a Pod that is terminating may still need it.
const deletionLeeway = 60 * time.Second

// User of a ServiceAccount: its name and groups.
func User(namespace, name, uid string) *request.User {
	return &request.User{
		Name:   request.ServiceAccountStart + namespace + ":" + name,
		UID:    uid,
		Groups: []string{request.ServiceAccountsGrp, request.ServiceAccountsGrp + ":" + namespace},
	}
}

// bound checks that what the token is bound to still exists.
func (v *Verifier) bound(ctx context.Context, c *claims) (*request.User, error) {
	p := c.Private
	if p.Namespace == "" || p.ServiceAccount == nil || c.Subject != request.ServiceAccountStart+p.Namespace+":"+p.ServiceAccount.Name {
		return nil, ErrNotOurs
	}
	if _, err := v.alive(ctx, "serviceaccounts", account, p.Namespace, *p.ServiceAccount); err != nil {
		return nil, err
	}
	user := User(p.Namespace, p.ServiceAccount.Name, p.ServiceAccount.UID)
	user.Extra = map[string][]string{}
	if c.ID != "" {
		user.Extra[ExtraCredentialID] = []string{"JTI=" + c.ID}
	}
	if p.Secret != nil {
		if _, err := v.alive(ctx, "secrets", "secret", p.Namespace, *p.Secret); err != nil {
			return nil, err
		}
	}
	if p.Pod != nil {
		if _, err := v.alive(ctx, "pods", "pod", p.Namespace, *p.Pod); err != nil {
			return nil, err
		}
		user.Extra[ExtraPodName], user.Extra[ExtraPodUID] = []string{p.Pod.Name}, []string{p.Pod.UID}
	}
	if p.Node != nil {
		// A token of a Pod only mentions its node; one that is bound to nothing else dies with the node.
		if p.Pod == nil {
			if _, err := v.alive(ctx, "nodes", "node", "", *p.Node); err != nil {
				return nil, err
			}
		}
		user.Extra[ExtraNodeName], user.Extra[ExtraNodeUID] = []string{p.Node.Name}, []string{p.Node.UID}
	}
	return user, nil
}

// alive returns the object of a reference, after a second look when the cache does not agree: it may be behind.
func (v *Verifier) alive(ctx context.Context, resource, called, namespace string, ref Reference) (kind.Object, error) {
	obj, err := v.look(ctx, resource, called, namespace, ref)
	if err == nil {
		return obj, nil
	}
	if barrier := v.Reader.Barrier(ctx); barrier != nil {
		return nil, barrier
	}
	return v.look(ctx, resource, called, namespace, ref)
}

func (v *Verifier) look(ctx context.Context, resource, called, namespace string, ref Reference) (kind.Object, error) {
	obj, err := v.Reader.Get(ctx, schema.GroupResource{Resource: resource}, namespace, ref.Name)
	if apierrors.IsNotFound(err) && called != account {
		return nil, errInvalidated
	}
	if err != nil {
		return nil, err
	}
	if string(obj.GetUID()) != ref.UID {
		if called == account {
			return nil, fmt.Errorf("service account UID (%s) does not match claim (%s)", obj.GetUID(), ref.UID)
		}
		return nil, fmt.Errorf("%s UID (%s) does not match service account %s ref claim (%s)", called, obj.GetUID(), called, ref.UID)
	}
	if d := obj.GetDeletionTimestamp(); d != nil && d.Add(deletionLeeway).Before(v.Now()) {
		return nil, errInvalidated
	}
	return obj, nil
}

// account is what errors call whom a token names, as against what it is bound to.
const account = "service account"

// errInvalidated: what the token is bound to is gone.
var errInvalidated = errors.New("service account token has been invalidated")

// legacy accepts a token without end that still stands in its Secret.
func (v *Verifier) legacy(ctx context.Context, c *claims, text string) (*request.User, error) {
	if c.LegacyNamespace == "" || c.LegacyName == "" || c.LegacySecret == "" ||
		c.Subject != request.ServiceAccountStart+c.LegacyNamespace+":"+c.LegacyName {
		return nil, ErrNotOurs
	}
	if _, err := v.alive(ctx, "serviceaccounts", account, c.LegacyNamespace, Reference{Name: c.LegacyName, UID: c.LegacyUID}); err != nil {
		return nil, err
	}
	for second := false; ; second = true {
		if standsIn(ctx, v.Reader, c, text) {
			return User(c.LegacyNamespace, c.LegacyName, c.LegacyUID), nil
		}
		if second {
			return nil, errors.New("Token has been invalidated") //nolint:staticcheck // stock's wording
		}
		if err := v.Reader.Barrier(ctx); err != nil {
			return nil, err
		}
	}
}

func standsIn(ctx context.Context, reader objects.Reader, c *claims, text string) bool {
	obj, err := reader.Get(ctx, schema.GroupResource{Resource: "secrets"}, c.LegacyNamespace, c.LegacySecret)
	if err != nil || obj.GetDeletionTimestamp() != nil {
		return false
	}
	secret, ok := obj.(*corev1.Secret)
	return ok && subtle.ConstantTimeCompare(secret.Data[corev1.ServiceAccountTokenKey], []byte(text)) == 1
}
