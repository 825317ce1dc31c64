package subresource

import (
	"context"
	"net/http"
	"strconv"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
)

// Bounds of a token's life, in seconds (API doc of TokenRequestSpec).
const (
	minLife     = 10 * 60
	maxLife     = 1 << 32
	defaultLife = 60 * 60
)

var tokenRequestGVK = authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")

func (h *handlers) tokens() http.Handler {
	return posted[*authenticationv1.TokenRequest]{
		h: h, gvk: tokenRequestGVK, empty: func() *authenticationv1.TokenRequest { return &authenticationv1.TokenRequest{} },
		check: checkTokenRequest, answer: h.issueToken,
	}
}

// checkTokenRequest: a request that says which account it is for must say that of the URL.
func checkTokenRequest(p *posting, t *authenticationv1.TokenRequest) error {
	if t.Name == "" || t.Name == p.info.Name {
		return nil
	}
	errs := field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), t.Name, "must match the service account name if specified")}
	return apierrors.NewInvalid(tokenRequestGVK.GroupKind(), p.info.Name, errs)
}

// issueToken signs a token for a ServiceAccount, bound to an object if asked. Admission has seen what was asked, not what is made of it here: a pod's
// token names no audience, and NodeRestriction compares it with the pod's.
func (h *handlers) issueToken(p *posting, t *authenticationv1.TokenRequest) (runtime.Object, schema.GroupVersionKind, error) {
	refuse := func(err error) (runtime.Object, schema.GroupVersionKind, error) { return nil, tokenRequestGVK, err }
	if h.Signer == nil {
		return refuse(apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccounts/token"}, ""))
	}
	account, err := h.fresh(p.ctx, "serviceaccounts", p.info.Namespace, p.info.Name)
	if err != nil {
		return refuse(err)
	}
	if len(t.Spec.Audiences) == 0 {
		t.Spec.Audiences = h.Audiences
	}
	if t.Spec.ExpirationSeconds == nil {
		seconds := int64(defaultLife)
		t.Spec.ExpirationSeconds = &seconds
	}
	if errs := validateTokenRequest(t); len(errs) > 0 {
		return refuse(apierrors.NewInvalid(tokenRequestGVK.GroupKind(), t.Name, errs))
	}
	private := token.Private{Namespace: p.info.Namespace, ServiceAccount: token.Ref(account.GetName(), account.GetUID())}
	if err := h.bindToken(p.ctx, &private, t.Spec.BoundObjectRef); err != nil {
		return refuse(err)
	}
	text, expires, err := h.Signer.Issue(private, t.Spec.Audiences, time.Duration(*t.Spec.ExpirationSeconds)*time.Second)
	if err != nil {
		return refuse(err)
	}
	t.Name, t.Namespace, t.CreationTimestamp = p.info.Name, p.info.Namespace, metav1.Time{Time: h.Now()}
	t.Status = authenticationv1.TokenRequestStatus{Token: text, ExpirationTimestamp: metav1.Time{Time: expires}}
	return t, tokenRequestGVK, nil
}

func validateTokenRequest(t *authenticationv1.TokenRequest) field.ErrorList {
	path := field.NewPath("spec", "expirationSeconds")
	switch seconds := *t.Spec.ExpirationSeconds; {
	case seconds < minLife:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration less than 10 minutes")}
	case seconds > maxLife:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")}
	}
	return nil
}

// fresh reads an object as it is now.
func (h *handlers) fresh(ctx context.Context, resource, namespace, name string) (metav1.Object, error) {
	if err := h.Registry.Barrier(ctx); err != nil {
		return nil, err
	}
	return h.Registry.Get(ctx, schema.GroupResource{Resource: resource}, namespace, name)
}

// bindToken checks the object that a token is to be bound to and notes it in the claims; a pod's token names its node too.
func (h *handlers) bindToken(ctx context.Context, private *token.Private, ref *authenticationv1.BoundObjectReference) error {
	if ref == nil {
		return nil
	}
	resource, namespace := map[string]string{"Pod": "pods", "Secret": "secrets", "Node": "nodes"}[ref.Kind], private.Namespace
	if resource == "" {
		return apierrors.NewBadRequest("cannot bind token to object of type " + schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).String())
	}
	if ref.Kind == "Node" {
		namespace = ""
	}
	obj, err := h.fresh(ctx, resource, namespace, ref.Name)
	if err != nil {
		return err
	}
	if ref.UID != "" && ref.UID != obj.GetUID() {
		return apierrors.NewConflict(schema.GroupResource{Resource: ref.Kind}, ref.Name, uidMismatch(ref.UID, obj.GetUID()))
	}
	bound := token.Ref(obj.GetName(), obj.GetUID())
	switch o := obj.(type) {
	case *corev1.Pod:
		if o.Spec.ServiceAccountName != private.ServiceAccount.Name {
			return apierrors.NewBadRequest("cannot bind token for serviceaccount " + strconv.Quote(private.ServiceAccount.Name) + " to pod running with different serviceaccount name.")
		}
		private.Pod = bound
		if node, err := h.Registry.Get(ctx, schema.GroupResource{Resource: "nodes"}, "", o.Spec.NodeName); err == nil {
			private.Node = token.Ref(node.GetName(), node.GetUID())
		}
	case *corev1.Secret:
		private.Secret = bound
	default:
		private.Node = bound
	}
	return nil
}

type uidError struct{ want, have types.UID }

func uidMismatch(want, have types.UID) error { return uidError{want, have} }

func (e uidError) Error() string {
	return "the UID in the bound object reference (" + string(e.want) + ") does not match the UID in record. The object might have been deleted and then recreated"
}
