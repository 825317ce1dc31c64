package api

import (
	"errors"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareValidation() {
	It("refuses an invalid object with every fault and its field path", Label("API-015"), func(ctx SpecContext) {
		s := scene.New(ctx)
		bad := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "Bad_Name"},
			Spec: corev1.PodSpec{
				RestartPolicy: "Sometimes",
				Containers: []corev1.Container{
					{Name: "same", Image: "i", Ports: []corev1.ContainerPort{{ContainerPort: 70000}}},
					{Name: "same", Image: "i", VolumeMounts: []corev1.VolumeMount{{Name: "none", MountPath: "/x"}}},
				},
			},
		}
		_, err := s.API.CoreV1().Pods(s.Namespace).Create(ctx, bad, metav1.CreateOptions{})
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "got %v", err)
		var status apierrors.APIStatus
		Expect(errors.As(err, &status)).To(BeTrue())
		Expect(status.Status().Code).To(BeEquivalentTo(http.StatusUnprocessableEntity))
		Expect(status.Status().Details.Kind).To(Equal("Pod"))
		var fields []string
		for _, c := range status.Status().Details.Causes {
			fields = append(fields, c.Field)
		}
		Expect(fields).To(ContainElements("metadata.name", "spec.restartPolicy", "spec.containers[0].ports[0].containerPort",
			"spec.containers[1].name", "spec.containers[1].volumeMounts[0].name"))
		_, err = s.API.CoreV1().Services(s.Namespace).Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "none"}}, metav1.CreateOptions{})
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "got %v", err)
	})

	It("refuses unknown and repeated fields when asked to be strict, and drops them otherwise", Label("API-016"), func(ctx SpecContext) {
		s := scene.New(ctx)
		body := func(name string) []byte {
			return []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"` + name + `"},"data":{"a":"1"},"data":{"a":"2"},"unknown":true}`)
		}
		post := func(name, validation string) ([]byte, error) {
			return s.API.CoreV1().RESTClient().Post().Namespace(s.Namespace).Resource("configmaps").Param("fieldValidation", validation).
				SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body(name)).Do(ctx).Raw()
		}
		raw, err := post("strict", "Strict")
		Expect(apierrors.IsBadRequest(err)).To(BeTrue(), "got %v", err)
		refusal := &metav1.Status{}
		decode(raw, refusal)
		Expect(refusal.Message).To(And(ContainSubstring(`unknown field "unknown"`), ContainSubstring(`duplicate field "data"`)))
		raw, err = post("lenient", "Ignore")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(raw)).NotTo(ContainSubstring("unknown"))
		read, err := maps(s).Get(ctx, "lenient", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(read.Data).To(Equal(map[string]string{"a": "2"}))
	})
}
