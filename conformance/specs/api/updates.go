package api

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

// decode is JSON that must parse.
func decode(raw []byte, into any) {
	GinkgoHelper()
	Expect(json.Unmarshal(raw, into)).To(Succeed(), "body %s", raw)
}

func declareUpdates() {
	It("refuses an update of an old version with a conflict, and keeps the newer one", Label("API-005"), func(ctx SpecContext) {
		s := scene.New(ctx)
		first := newMap(ctx, s, "one", nil)
		Expect(first.Data).To(HaveKey("key"))
		second := first.DeepCopy()
		second.Data["key"] = "second"
		second, err := maps(s).Update(ctx, second, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(second.ResourceVersion).NotTo(Equal(first.ResourceVersion))
		first.Data["key"] = "late"
		_, err = maps(s).Update(ctx, first, metav1.UpdateOptions{})
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "got %v", err)
		after, err := maps(s).Get(ctx, "one", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(after).To(Equal(second))
		again, err := maps(s).Update(ctx, second.DeepCopy(), metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(again.ResourceVersion).To(Equal(second.ResourceVersion), "an update that changes nothing made a new version")
	})

	It("applies JSON, merge and strategic merge patches by their rules", Label("API-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		newMap(ctx, s, "one", map[string]string{"a": "1"})
		patched, err := maps(s).Patch(ctx, "one", types.JSONPatchType, []byte(`[{"op":"test","path":"/data/key","value":"0"},{"op":"replace","path":"/data/key","value":"1"}]`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(patched.Data).To(HaveKeyWithValue("key", "1"))
		_, err = maps(s).Patch(ctx, "one", types.JSONPatchType, []byte(`[{"op":"test","path":"/data/key","value":"wrong"}]`), metav1.PatchOptions{})
		Expect(err).To(HaveOccurred(), "a failed test operation was ignored")
		patched, err = maps(s).Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":null,"b":"2"}}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(patched.Labels).To(Equal(map[string]string{"b": "2"}))
		services := s.API.CoreV1().Services(s.Namespace)
		_, err = services.Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "two"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "a", Port: 80}}}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		service, err := services.Patch(ctx, "two", types.StrategicMergePatchType, []byte(`{"spec":{"ports":[{"name":"b","port":81}]}}`), metav1.PatchOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(service.Spec.Ports).To(HaveLen(2), "a strategic merge patch replaced a list that merges by key")
	})
	It("changes the spec or the status, whichever a write is of, and counts generations of the spec", Label("API-019"), func(ctx SpecContext) {
		s := scene.New(ctx)
		// Nothing acts on an Ingress without a class: whatever its status says was written here.
		ingresses := s.API.NetworkingV1().Ingresses(s.Namespace)
		wanted := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: ingressTo(80)}
		wanted.Status = published("192.0.2.1")
		object, err := ingresses.Create(ctx, wanted, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(object.Status.LoadBalancer.Ingress).To(BeEmpty(), "a status was created")
		Expect(object.Generation).To(BeEquivalentTo(1))
		object.Spec, object.Status = ingressTo(81), published("192.0.2.1")
		object, err = ingresses.Update(ctx, object, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(object.Status.LoadBalancer.Ingress).To(BeEmpty(), "a write of the spec changed the status")
		Expect(object.Generation).To(BeEquivalentTo(2), "a changed spec is a new generation")
		object.Labels = map[string]string{"a": "1"}
		object, err = ingresses.Update(ctx, object, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(object.Generation).To(BeEquivalentTo(2), "a label is no new generation")
		object.Spec, object.Status = ingressTo(82), published("192.0.2.2")
		_, err = ingresses.UpdateStatus(ctx, object, metav1.UpdateOptions{})
		Expect(err).NotTo(HaveOccurred())
		object, err = ingresses.Get(ctx, "one", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(object.Status).To(Equal(published("192.0.2.2")))
		Expect(object.Spec).To(Equal(ingressTo(81)), "a write of the status changed the spec")
		Expect(object.Generation).To(BeEquivalentTo(2), "a status is no new generation")
	})
}

func ingressTo(port int32) networkingv1.IngressSpec {
	return networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
		Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: port}},
	}}
}

func published(address string) networkingv1.IngressStatus {
	return networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: address}}}}
}
