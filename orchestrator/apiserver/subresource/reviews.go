package subresource

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authn/token"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/authz"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// review is a posted kind that answers with itself, filled in.
func review[T kind.Object](h *handlers, gvk schema.GroupVersionKind, empty func() T, answer func(*posting, T) (runtime.Object, error)) http.Handler {
	return posted[T]{h: h, gvk: gvk, empty: empty, answer: func(p *posting, body T) (runtime.Object, schema.GroupVersionKind, error) {
		reviewed, err := answer(p, body)
		return reviewed, gvk, err
	}}
}

func (h *handlers) tokenReviews() http.Handler {
	return review(h, authenticationv1.SchemeGroupVersion.WithKind("TokenReview"), func() *authenticationv1.TokenReview { return &authenticationv1.TokenReview{} }, h.reviewToken)
}

func (h *handlers) selfReviews() http.Handler {
	return review(h, authenticationv1.SchemeGroupVersion.WithKind("SelfSubjectReview"), func() *authenticationv1.SelfSubjectReview { return &authenticationv1.SelfSubjectReview{} }, h.reviewSelf)
}

func (h *handlers) accessReviews() http.Handler {
	return review(h, authorizationv1.SchemeGroupVersion.WithKind("SubjectAccessReview"), func() *authorizationv1.SubjectAccessReview { return &authorizationv1.SubjectAccessReview{} }, h.reviewAccess)
}

func (h *handlers) localAccessReviews() http.Handler {
	return review(h, authorizationv1.SchemeGroupVersion.WithKind("LocalSubjectAccessReview"), func() *authorizationv1.LocalSubjectAccessReview { return &authorizationv1.LocalSubjectAccessReview{} }, h.reviewLocalAccess)
}

func (h *handlers) selfAccessReviews() http.Handler {
	return review(h, authorizationv1.SchemeGroupVersion.WithKind("SelfSubjectAccessReview"), func() *authorizationv1.SelfSubjectAccessReview { return &authorizationv1.SelfSubjectAccessReview{} }, h.reviewSelfAccess)
}

func (h *handlers) selfRulesReviews() http.Handler {
	return review(h, authorizationv1.SchemeGroupVersion.WithKind("SelfSubjectRulesReview"), func() *authorizationv1.SelfSubjectRulesReview { return &authorizationv1.SelfSubjectRulesReview{} }, h.reviewSelfRules)
}

// reviewToken says who the bearer of a token is. A bad token is an answer, not an error.
func (h *handlers) reviewToken(p *posting, review *authenticationv1.TokenReview) (runtime.Object, error) {
	if review.Spec.Token == "" {
		return nil, apierrors.NewBadRequest("token is required for TokenReview in authentication")
	}
	review.Status = authenticationv1.TokenReviewStatus{}
	if h.Tokens == nil {
		return review, nil
	}
	user, audiences, err := h.Tokens.VerifyFor(p.ctx, review.Spec.Token, review.Spec.Audiences)
	if err != nil {
		review.Status.Error = refusalOf(err)
		return review, nil
	}
	review.Status.Authenticated, review.Status.User = true, infoOf(authn.WithAuthenticated(user))
	if len(review.Spec.Audiences) > 0 || len(audiences) > 0 {
		review.Status.Audiences = audiences
	}
	return review, nil
}

// refusalOf a token, in stock's words: beside the reason stands what whoever knows no such token says.
func refusalOf(err error) string {
	if errors.Is(err, token.ErrNotOurs) {
		return err.Error()
	}
	return fmt.Sprintf("[%v, %v]", token.ErrNotOurs, err)
}

func infoOf(user *request.User) authenticationv1.UserInfo {
	info := authenticationv1.UserInfo{Username: user.Name, UID: user.UID, Groups: user.Groups}
	for key, values := range user.Extra {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[key] = values
	}
	return info
}

// reviewSelf says who the caller is.
func (h *handlers) reviewSelf(p *posting, review *authenticationv1.SelfSubjectReview) (runtime.Object, error) {
	review.ObjectMeta = metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(h.Now())}
	review.Status.UserInfo = infoOf(request.UserFrom(p.ctx))
	return review, nil
}

func (h *handlers) reviewAccess(p *posting, review *authorizationv1.SubjectAccessReview) (runtime.Object, error) {
	if (review.Spec.ResourceAttributes == nil) == (review.Spec.NonResourceAttributes == nil) {
		return nil, apierrors.NewBadRequest("exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be specified")
	}
	review.Status = h.judge(p, userOf(&review.Spec), review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes)
	return review, nil
}

func (h *handlers) reviewLocalAccess(p *posting, review *authorizationv1.LocalSubjectAccessReview) (runtime.Object, error) {
	namespace := p.info.Namespace
	if review.Spec.ResourceAttributes == nil || review.Spec.ResourceAttributes.Namespace != namespace {
		return nil, apierrors.NewBadRequest("spec.resourceAttributes.namespace must match namespace: " + namespace)
	}
	review.Status = h.judge(p, userOf(&review.Spec), review.Spec.ResourceAttributes, nil)
	return review, nil
}

func (h *handlers) reviewSelfAccess(p *posting, review *authorizationv1.SelfSubjectAccessReview) (runtime.Object, error) {
	if (review.Spec.ResourceAttributes == nil) == (review.Spec.NonResourceAttributes == nil) {
		return nil, apierrors.NewBadRequest("exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be specified")
	}
	review.Status = h.judge(p, request.UserFrom(p.ctx), review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes)
	return review, nil
}

func userOf(spec *authorizationv1.SubjectAccessReviewSpec) *request.User {
	user := &request.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups, Extra: map[string][]string{}}
	for key, values := range spec.Extra {
		user.Extra[key] = values
	}
	return user
}

// judge answers a review.
func (h *handlers) judge(p *posting, user *request.User, resource *authorizationv1.ResourceAttributes, path *authorizationv1.NonResourceAttributes) authorizationv1.SubjectAccessReviewStatus {
	a := &authz.Attributes{User: user}
	if resource != nil {
		a.Info = request.Info{
			IsResource: true, Verb: resource.Verb, Group: resource.Group, Version: resource.Version, Namespace: resource.Namespace,
			Resource: resource.Resource, Subresource: resource.Subresource, Name: resource.Name,
		}
	} else {
		a.Info = request.Info{Verb: path.Verb, Path: path.Path}
	}
	decision, reason, err := h.decide(p.ctx, a)
	status := authorizationv1.SubjectAccessReviewStatus{Allowed: decision == authz.Allow, Denied: decision == authz.Deny, Reason: reason}
	if err != nil {
		status.EvaluationError = err.Error()
	}
	return status
}

// decide asks the authorizer, a second time after a barrier when the first answer is no.
func (h *handlers) decide(ctx context.Context, a *authz.Attributes) (authz.Decision, string, error) {
	decision, reason, err := h.Authorizer.Authorize(ctx, a)
	if decision != authz.Allow && h.Registry.Barrier(ctx) == nil {
		return h.Authorizer.Authorize(ctx, a)
	}
	return decision, reason, err
}

// reviewSelfRules lists what the caller may do in a namespace, as far as RBAC knows.
func (h *handlers) reviewSelfRules(p *posting, review *authorizationv1.SelfSubjectRulesReview) (runtime.Object, error) {
	if review.Spec.Namespace == "" {
		return nil, apierrors.NewBadRequest("no namespace on request")
	}
	user := request.UserFrom(p.ctx)
	rules, err := authz.NewRBAC(h.Registry).RulesFor(p.ctx, user, review.Spec.Namespace)
	review.Status = authorizationv1.SubjectRulesReviewStatus{ResourceRules: []authorizationv1.ResourceRule{}, NonResourceRules: []authorizationv1.NonResourceRule{}}
	if err != nil {
		review.Status.EvaluationError, review.Status.Incomplete = err.Error(), true
	}
	if _, isNode := authz.NodeName(user); isNode {
		review.Status.EvaluationError, review.Status.Incomplete = "node authorizer does not support user rule resolution", true
	}
	for _, rule := range rules {
		if len(rule.Resources) > 0 {
			review.Status.ResourceRules = append(review.Status.ResourceRules, authorizationv1.ResourceRule{
				Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
			})
		}
		if len(rule.NonResourceURLs) > 0 {
			review.Status.NonResourceRules = append(review.Status.NonResourceRules, authorizationv1.NonResourceRule{Verbs: rule.Verbs, NonResourceURLs: rule.NonResourceURLs})
		}
	}
	return review, nil
}
