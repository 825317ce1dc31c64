package scene

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// As is the same stage on which everything is done by a new ServiceAccount of the namespace that has these rights there, and no others. A role takes
// effect a moment after it was made.
func (s *Scene) As(ctx context.Context, account string, rights ...rbacv1.PolicyRule) *Scene {
	ginkgo.GinkgoHelper()
	named := metav1.ObjectMeta{Name: account}
	_, err := s.API.CoreV1().ServiceAccounts(s.Namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: named}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create ServiceAccount %s", account)
	_, err = s.API.RbacV1().Roles(s.Namespace).Create(ctx, &rbacv1.Role{ObjectMeta: named, Rules: rights}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create Role %s", account)
	_, err = s.API.RbacV1().RoleBindings(s.Namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: s.Namespace}},
	}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "create RoleBinding %s", account)
	token, err := s.API.CoreV1().ServiceAccounts(s.Namespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "a token of ServiceAccount %s", account)

	config := rest.AnonymousClientConfig(s.Config)
	config.BearerToken = token.Status.Token
	api, err := kubernetes.NewForConfig(config)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "a client of ServiceAccount %s", account)
	other := *s.Target
	other.Config, other.Client = config, api
	return &Scene{Target: &other, Namespace: s.Namespace, API: api}
}
