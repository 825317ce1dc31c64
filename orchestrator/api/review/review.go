package review

import (
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// TokenReview asks who the bearer of a token is.
func TokenReview() kind.Kind {
	return review("TokenReview", false, authenticationv1.SchemeGroupVersion, &authenticationv1.TokenReview{})
}

// SelfSubjectReview asks who the caller is.
func SelfSubjectReview() kind.Kind {
	return review("SelfSubjectReview", false, authenticationv1.SchemeGroupVersion, &authenticationv1.SelfSubjectReview{})
}

// SubjectAccessReview asks whether someone may do something.
func SubjectAccessReview() kind.Kind {
	return review("SubjectAccessReview", false, authorizationv1.SchemeGroupVersion, &authorizationv1.SubjectAccessReview{})
}

// LocalSubjectAccessReview asks it for one namespace.
func LocalSubjectAccessReview() kind.Kind {
	return review("LocalSubjectAccessReview", true, authorizationv1.SchemeGroupVersion, &authorizationv1.LocalSubjectAccessReview{})
}

// SelfSubjectAccessReview asks whether the caller may do something.
func SelfSubjectAccessReview() kind.Kind {
	return review("SelfSubjectAccessReview", false, authorizationv1.SchemeGroupVersion, &authorizationv1.SelfSubjectAccessReview{})
}

// SelfSubjectRulesReview asks for all that the caller may do in a namespace.
func SelfSubjectRulesReview() kind.Kind {
	return review("SelfSubjectRulesReview", false, authorizationv1.SchemeGroupVersion, &authorizationv1.SelfSubjectRulesReview{})
}

func review(name string, namespaced bool, version schema.GroupVersion, object kind.Object) kind.Kind {
	singular := strings.ToLower(name)
	return kind.Review(kind.Names{Kind: name, Resource: singular + "s", Singular: singular}, namespaced, version, object)
}
