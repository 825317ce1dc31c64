package api

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

// asServiceAccount is a client that acts as the namespace's default ServiceAccount by a token of its own.
func asServiceAccount(ctx context.Context, s *scene.Scene) (*kubernetes.Clientset, string) {
	GinkgoHelper()
	token, err := s.API.CoreV1().ServiceAccounts(s.Namespace).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	cfg := rest.AnonymousClientConfig(s.Config)
	cfg.BearerToken = token.Status.Token
	api, err := kubernetes.NewForConfig(cfg)
	Expect(err).NotTo(HaveOccurred())
	return api, token.Status.Token
}

func declareRights() {
	It("lets a ServiceAccount do what its roles say, no more, and no longer than they last", Label("API-017"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "one", nil)
		own, _ := asServiceAccount(ctx, s)
		read := func(ctx context.Context) error {
			_, err := own.CoreV1().ConfigMaps(s.Namespace).Get(ctx, "one", metav1.GetOptions{})
			return err
		}
		Expect(apierrors.IsForbidden(read(ctx))).To(BeTrue())
		_, err := s.API.RbacV1().Roles(s.Namespace).Create(ctx, &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Name: "reader"},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}}},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = s.API.RbacV1().RoleBindings(s.Namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "reader"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.Namespace, Name: "default"}},
		}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, read).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed())
		_, err = own.CoreV1().ConfigMaps(s.Namespace).List(ctx, metav1.ListOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "got %v", err)
		Expect(s.API.RbacV1().RoleBindings(s.Namespace).Delete(ctx, "reader", metav1.DeleteOptions{})).To(Succeed())
		Eventually(ctx, func(ctx context.Context) bool { return apierrors.IsForbidden(read(ctx)) }).
			WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(BeTrue(), "the right outlived its binding")
	})

	It("knows a ServiceAccount by its token, and nobody by a forged one", Label("API-018"), func(ctx SpecContext) {
		s := scene.New(ctx)
		_, token := asServiceAccount(ctx, s)
		review := func(token string) *authenticationv1.TokenReview {
			answer, err := s.API.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
			return answer
		}
		genuine := review(token)
		Expect(genuine.Status.Authenticated).To(BeTrue())
		Expect(genuine.Status.User.Username).To(Equal("system:serviceaccount:" + s.Namespace + ":default"))
		Expect(genuine.Status.User.Groups).To(ContainElements("system:serviceaccounts", "system:serviceaccounts:"+s.Namespace))
		forged := review(token[:len(token)-8] + "AAAAAAAA")
		Expect(forged.Status.Authenticated).To(BeFalse())
		Expect(forged.Status.User.Username).To(BeEmpty())
	})
	It("lets nobody grant rights that they do not hold", Label("API-020"), func(ctx SpecContext) {
		s := scene.New(ctx)
		own, _ := asServiceAccount(ctx, s)
		get := func(resource string) rbacv1.PolicyRule {
			return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{resource}, Verbs: []string{"get"}}
		}
		role := func(name string, rules ...rbacv1.PolicyRule) *rbacv1.Role {
			return &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
		}
		write := rbacv1.PolicyRule{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}, Verbs: []string{"create"}}
		for _, r := range []*rbacv1.Role{role("writer", write, get("configmaps")), role("strong", get("secrets"))} {
			_, err := s.API.RbacV1().Roles(s.Namespace).Create(ctx, r, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
		}
		bind := func(ctx context.Context, api kubernetes.Interface, to string) error {
			_, err := api.RbacV1().RoleBindings(s.Namespace).Create(ctx, &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: to},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: to},
				Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.Namespace, Name: "default"}},
			}, metav1.CreateOptions{})
			return err
		}
		Expect(bind(ctx, s.API, "writer")).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error {
			_, err := own.RbacV1().Roles(s.Namespace).Create(ctx, role("held", get("configmaps")), metav1.CreateOptions{})
			return err
		}).WithTimeout(budget.Converge.Limit()).WithPolling(target.Poll).Should(Succeed(), "what is held may be granted")
		_, err := own.RbacV1().Roles(s.Namespace).Create(ctx, role("greedy", get("secrets")), metav1.CreateOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "a role that grants more: got %v", err)
		err = bind(ctx, own, "strong")
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "a binding of a stronger role: got %v", err)
	})
}
