package api

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareObjects() {
	It("returns created objects from get and list exactly as acknowledged", Label("API-001"), func(ctx SpecContext) {
		s := scene.New(ctx)
		for _, name := range []string{"one", "two"} {
			acknowledged := newMap(ctx, s, name, nil)
			Expect(acknowledged.UID).NotTo(BeEmpty())
			Expect(acknowledged.ResourceVersion).NotTo(BeEmpty())
			read, err := maps(s).Get(ctx, name, metav1.GetOptions{})
			Expect(err).NotTo(HaveOccurred())
			Expect(read).To(Equal(acknowledged))
			list, err := maps(s).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
			Expect(err).NotTo(HaveOccurred())
			Expect(list.Items).To(ConsistOf(*acknowledged))
		}
	})

	It("gives generated names that differ, and refuses a name that is taken", Label("API-002"), func(ctx SpecContext) {
		s := scene.New(ctx)
		seen := map[string]bool{}
		for range 20 {
			created, err := maps(s).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "some-"}}, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
			Expect(created.Name).To(HavePrefix("some-"))
			seen[created.Name] = true
		}
		Expect(seen).To(HaveLen(20))
		taken := newMap(ctx, s, "taken", nil)
		_, err := maps(s).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "taken"}}, metav1.CreateOptions{})
		Expect(apierrors.IsAlreadyExists(err)).To(BeTrue(), "got %v", err)
		after, err := maps(s).Get(ctx, "taken", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(after).To(Equal(taken))
	})

	It("answers a dry run as the real request, and changes nothing", Label("API-003"), func(ctx SpecContext) {
		s := scene.New(ctx)
		kept := newMap(ctx, s, "kept", nil)
		dry := []string{metav1.DryRunAll}
		created, err := maps(s).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "never"}}, metav1.CreateOptions{DryRun: dry})
		Expect(err).NotTo(HaveOccurred())
		Expect(created.UID).NotTo(BeEmpty())
		changed := kept.DeepCopy()
		changed.Data = map[string]string{"key": "changed"}
		answered, err := maps(s).Update(ctx, changed, metav1.UpdateOptions{DryRun: dry})
		Expect(err).NotTo(HaveOccurred())
		Expect(answered.Data).To(HaveKeyWithValue("key", "changed"))
		Expect(maps(s).Delete(ctx, "kept", metav1.DeleteOptions{DryRun: dry})).To(Succeed())
		after, err := maps(s).Get(ctx, "kept", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(after).To(Equal(kept))
		_, err = maps(s).Get(ctx, "never", metav1.GetOptions{})
		Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
	})

	It("shows objects as table rows and as metadata alone", Label("API-004"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "one", nil)
		newMap(ctx, s, "two", nil)
		table := &metav1.Table{}
		raw, err := s.API.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("configmaps").
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").VersionedParams(&metav1.ListOptions{FieldSelector: "metadata.name!=kube-root-ca.crt"}, metav1.ParameterCodec).DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		decode(raw, table)
		Expect(table.Kind).To(Equal("Table"))
		Expect(table.ColumnDefinitions[0].Format).To(Equal("name"))
		Expect(table.Rows).To(HaveLen(2))
		Expect(table.Rows[0].Cells[0]).To(Equal("one"))
		metadata := &metav1.PartialObjectMetadata{}
		raw, err = s.API.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("configmaps").Name("two").
			SetHeader("Accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		decode(raw, metadata)
		Expect(metadata.Kind).To(Equal("PartialObjectMetadata"))
		Expect(metadata.Name).To(Equal("two"))
		Expect(string(raw)).NotTo(ContainSubstring(`"data"`))
	})
}
