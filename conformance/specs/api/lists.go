package api

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareLists() {
	It("lists in pages that together are one moment", Label("API-010"), func(ctx SpecContext) {
		s := scene.New(ctx)
		var before []string
		for i := range 10 {
			before = append(before, newMap(ctx, s, fmt.Sprintf("page-%02d", i), map[string]string{"paged": "yes"}).Name)
		}
		options := metav1.ListOptions{LabelSelector: "paged=yes", Limit: 3}
		var names, versions []string
		for page := 0; ; page++ {
			list, err := maps(s).List(ctx, options)
			Expect(err).NotTo(HaveOccurred())
			versions = append(versions, list.ResourceVersion)
			Expect(len(list.Items)).To(BeNumerically("<=", options.Limit), "more than was asked for in page %d", page+1)
			for _, m := range list.Items {
				names = append(names, m.Name)
			}
			if page == 0 {
				Expect(list.Continue).NotTo(BeEmpty(), "there are more, and no way to ask for them")
				newMap(ctx, s, "page-99", map[string]string{"paged": "yes"})
				Expect(maps(s).Delete(ctx, "page-08", metav1.DeleteOptions{})).To(Succeed())
				now, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: options.LabelSelector})
				Expect(err).NotTo(HaveOccurred())
				Expect(now.Items).To(HaveLen(10), "what was written is to be seen before the next page")
			}
			if options.Continue = list.Continue; options.Continue == "" {
				break
			}
		}
		Expect(names).To(Equal(before), "the names of all pages, in order")
		Expect(versions).To(HaveEach(versions[0]))
	})

	It("lists at exactly the version asked for, and refuses one that is to come", Label("API-011"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "one", map[string]string{"set": "x"})
		then, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "set=x"})
		Expect(err).NotTo(HaveOccurred())
		newMap(ctx, s, "two", map[string]string{"set": "x"})
		exact, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "set=x", ResourceVersion: then.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact})
		Expect(err).NotTo(HaveOccurred())
		Expect(exact.Items).To(Equal(then.Items))
		now, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "set=x"})
		Expect(err).NotTo(HaveOccurred())
		Expect(now.Items).To(HaveLen(2))
		// Without client-go's ten retries: one answer says it all.
		err = s.API.CoreV1().RESTClient().Get().MaxRetries(0).Namespace(s.Namespace).Resource("configmaps").VersionedParams(&metav1.ListOptions{
			ResourceVersion: "999999999999", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		}, metav1.ParameterCodec).Do(ctx).Error()
		Expect(apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err)).To(BeTrue(), "got %v", err)
	})
}
