package api

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
	"github.com/plumb-k8s/plumb/conformance/target"
)

func declareDeletion() {
	It("keeps a deleted object until its last finalizer is removed", Label("API-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		_, err := maps(s).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"plumb.io/hold"}}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		newMap(ctx, s, "free", nil)
		for _, name := range []string{"held", "free"} {
			Expect(maps(s).Delete(ctx, name, metav1.DeleteOptions{})).To(Succeed())
		}
		_, err = maps(s).Get(ctx, "free", metav1.GetOptions{})
		Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
		held, err := maps(s).Get(ctx, "held", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(held.DeletionTimestamp).NotTo(BeNil())
		_, err = maps(s).Patch(ctx, "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = maps(s).Get(ctx, "held", metav1.GetOptions{})
		Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
	})

	It("deletes only what preconditions and the selector of a collection allow", Label("API-008"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, name := range []string{"a1", "a2"} {
			newMap(ctx, s, name, map[string]string{"set": "a"})
		}
		newMap(ctx, s, "b1", map[string]string{"set": "b"})
		err := maps(s).Delete(ctx, "b1", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("another")})
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "got %v", err)
		Expect(maps(s).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "set=a"})).To(Succeed())
		left, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "set"})
		Expect(err).NotTo(HaveOccurred())
		Expect(left.Items).To(HaveLen(1))
		Expect(left.Items[0].Name).To(Equal("b1"))
	})

	It("empties a deleted namespace, and lets nothing new into it meanwhile", Label("API-009"), func(ctx SpecContext) {
		s := scene.New(ctx)
		ns, err := s.API.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "plumb-doomed-"}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		doomed := s.API.CoreV1().ConfigMaps(ns.Name)
		held, err := doomed.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"plumb.io/hold"}}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = doomed.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "plain"}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		release := func(ctx context.Context) error {
			_, err := doomed.Patch(ctx, held.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
			return unlessGone(err)
		}
		DeferCleanup(release)
		Expect(s.API.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{})).To(Succeed())
		_, err = doomed.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "late"}}, metav1.CreateOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "got %v", err)
		Expect(apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)).To(BeTrue(), "got %v", err)
		gone := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := doomed.Get(ctx, name, metav1.GetOptions{})
				if !apierrors.IsNotFound(err) {
					return fmt.Errorf("ConfigMap %s of the deleted namespace is there, or nobody knows: %w", name, orFound(err))
				}
				return nil
			}
		}
		Eventually(ctx, gone("plain")).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(Succeed())
		_, err = doomed.Get(ctx, held.Name, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred(), "what a finalizer holds is let go")
		waits, err := s.API.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred(), "the namespace went before what is in it")
		Expect(waits.Status.Phase).To(Equal(corev1.NamespaceTerminating))
		Expect(release(ctx)).To(Succeed())
		Eventually(ctx, func(ctx context.Context) bool {
			_, err := s.API.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		}).WithTimeout(budget.PodStop.Limit()).WithPolling(target.Poll).Should(BeTrue(), "namespace %s still exists", ns.Name)
		for _, name := range []string{"plain", held.Name} {
			Expect(gone(name)(ctx)).To(Succeed())
		}
		remains, err := doomed.List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(remains.Items).To(BeEmpty(), "ConfigMaps outlive their namespace")
	})
}

// orFound says that there was no error where one was wanted.
func orFound(err error) error {
	if err == nil {
		return errors.New("it was found")
	}
	return err
}

// unlessGone takes "not found" for done: what was to be released is gone already.
func unlessGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
