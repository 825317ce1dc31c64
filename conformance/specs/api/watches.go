package api

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/conformance/budget"
	"github.com/plumb-k8s/plumb/conformance/scene"
)

// seen is one event of a watch, short enough to compare.
func seen(e watch.Event) string {
	m, ok := e.Object.(metav1.Object)
	if !ok {
		return fmt.Sprintf("%s %T", e.Type, e.Object)
	}
	return fmt.Sprintf("%s %s", e.Type, m.GetName())
}

// change is an event that is due: of is the object as it was acknowledged, before it was deleted if it is that.
type change struct {
	kind watch.EventType
	of   *corev1.ConfigMap
}

// delivers expects a watch to deliver just these changes, whole and in order, and returns the versions that they have.
func delivers(ctx context.Context, w watch.Interface, want []change) (versions []string) {
	GinkgoHelper()
	for i, c := range want {
		e := next(ctx, w)
		Expect(seen(e)).To(Equal(fmt.Sprintf("%s %s", c.kind, c.of.Name)), "change %d", i+1)
		got, ok := e.Object.(*corev1.ConfigMap)
		Expect(ok).To(BeTrue(), "a watch of ConfigMaps delivers a %T", e.Object)
		Expect(got.Data).To(Equal(c.of.Data), "the content of %s", seen(e))
		Expect(got.Labels).To(Equal(c.of.Labels), "the labels of %s", seen(e))
		Expect(got.UID).To(Equal(c.of.UID), "the UID of %s", seen(e))
		if c.kind == watch.Deleted {
			Expect(got.ResourceVersion).NotTo(Equal(c.of.ResourceVersion), "a deletion is a version of its own")
		} else {
			Expect(got.ResourceVersion).To(Equal(c.of.ResourceVersion), "the version of %s", seen(e))
		}
		versions = append(versions, got.ResourceVersion)
	}
	return versions
}

// next is the next event of a watch that is no bookmark; it fails the spec when none comes.
func next(ctx context.Context, w watch.Interface) watch.Event {
	GinkgoHelper()
	limit := time.NewTimer(budget.Converge.Limit())
	defer limit.Stop()
	for {
		select {
		case e, open := <-w.ResultChan():
			Expect(open).To(BeTrue(), "the watch ended")
			Expect(e.Type).NotTo(Equal(watch.Error), "the watch failed: %v", e.Object)
			if e.Type != watch.Bookmark {
				return e
			}
		case <-limit.C:
			Fail("no event came")
		case <-ctx.Done():
			Fail("no event came")
		}
	}
}

func declareWatches() {
	It("watches every later change once and in order, also when resumed after any of them", Label("API-012"), func(ctx SpecContext) {
		s := scene.New(ctx)
		start, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "w=1"})
		Expect(err).NotTo(HaveOccurred())
		w, err := maps(s).Watch(ctx, metav1.ListOptions{LabelSelector: "w=1", ResourceVersion: start.ResourceVersion})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Stop)
		one := newMap(ctx, s, "one", map[string]string{"w": "1"})
		two := newMap(ctx, s, "two", map[string]string{"w": "1"})
		patched, err := maps(s).Patch(ctx, "one", types.MergePatchType, []byte(`{"data":{"key":"1"}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(maps(s).Delete(ctx, "two", metav1.DeleteOptions{})).To(Succeed())
		// An event too many would come before what follows the last one.
		end := newMap(ctx, s, "end", map[string]string{"w": "1"})
		want := []change{{watch.Added, one}, {watch.Added, two}, {watch.Modified, patched}, {watch.Deleted, two}, {watch.Added, end}}
		versions := delivers(ctx, w, want)
		for i, version := range versions[:len(want)-1] {
			By(fmt.Sprintf("resume after %s %s", want[i].kind, want[i].of.Name))
			resumed, err := maps(s).Watch(ctx, metav1.ListOptions{LabelSelector: "w=1", ResourceVersion: version})
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(resumed.Stop)
			Expect(delivers(ctx, resumed, want[i+1:])).To(Equal(versions[i+1:]))
		}
	})

	It("reports an object that begins or ceases to match a watch's selector as added or deleted", Label("API-013"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "in", map[string]string{"w": "1"})
		newMap(ctx, s, "out", nil)
		list, err := maps(s).List(ctx, metav1.ListOptions{LabelSelector: "w=1"})
		Expect(err).NotTo(HaveOccurred())
		w, err := maps(s).Watch(ctx, metav1.ListOptions{LabelSelector: "w=1", ResourceVersion: list.ResourceVersion})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Stop)
		label := func(name, value string) {
			_, err := maps(s).Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"labels":{"w":`+value+`}}}`), metav1.PatchOptions{})
			Expect(err).NotTo(HaveOccurred())
		}
		label("out", `"1"`)
		label("in", `null`)
		label("out", `"2"`)
		for _, want := range []string{"ADDED out", "DELETED in", "DELETED out"} {
			Expect(seen(next(ctx, w))).To(Equal(want))
		}
	})

	It("streams the present state, marks its end with a bookmark, and then follows", Label("API-014"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "one", map[string]string{"w": "1"})
		newMap(ctx, s, "two", map[string]string{"w": "1"})
		yes := true
		w, err := maps(s).Watch(ctx, metav1.ListOptions{
			LabelSelector: "w=1", SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Stop)
		Expect([]string{seen(next(ctx, w)), seen(next(ctx, w))}).To(ConsistOf("ADDED one", "ADDED two"))
		var bookmark watch.Event
		Eventually(ctx, w.ResultChan()).WithTimeout(budget.Converge.Limit()).Should(Receive(&bookmark))
		Expect(bookmark.Type).To(Equal(watch.Bookmark))
		Expect(bookmark.Object.(metav1.Object).GetAnnotations()).To(HaveKeyWithValue(metav1.InitialEventsAnnotationKey, "true"))
		newMap(ctx, s, "three", map[string]string{"w": "1"})
		Expect(seen(next(ctx, w))).To(Equal("ADDED three"))
	})
}
