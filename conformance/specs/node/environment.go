package node

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/conformance/scene"
)

func declareEnvironment() {
	It("fills a container's environment from ConfigMaps, Secrets, the pod's own fields and Services", Label("NODE-006"), func(ctx SpecContext) {
		s := scene.New(ctx)
		settings(ctx, s, "settings", map[string]string{"key": "from the map"})
		secret(ctx, s, "hidden", "key", "from the secret")
		service := s.Expose(ctx, "web")
		pod := s.Echo("env", scene.App("env"))
		c := &pod.Spec.Containers[0]
		c.Resources = corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
		}
		yes := true
		c.EnvFrom = []corev1.EnvFromSource{
			{Prefix: "M_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named("settings")}},
			{Prefix: "S_", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named("hidden")}},
		}
		c.Env = []corev1.EnvVar{
			{Name: "MAP", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named("settings"), Key: "key"}}},
			{Name: "SECRET", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: named("hidden"), Key: "key"}}},
			{Name: "ABSENT", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named("none"), Key: "key", Optional: &yes}}},
			fromField("NAME", "metadata.name"), fromField("NODE", "spec.nodeName"), fromField("IP", "status.podIP"), fromField("LABEL", "metadata.labels['app']"),
			fromResource("CPU", "limits.cpu", "1m"), fromResource("CPUS", "limits.cpu", "1"), fromResource("MEMORY", "requests.memory", "1Mi"),
			{Name: "COMPOSED", Value: "$(NAME) of $(MAP), not $$(NAME) nor $(NOBODY)"},
		}
		run := s.Run(ctx, pod)
		env := environment(ctx, s, "env")
		for name, want := range map[string]string{
			"M_key": "from the map", "S_key": "from the secret", "MAP": "from the map", "SECRET": "from the secret",
			"NAME": "env", "NODE": run.Spec.NodeName, "IP": run.Status.PodIP, "LABEL": "env", "CPU": "1500", "CPUS": "2", "MEMORY": "32",
			"COMPOSED": "env of from the map, not $(NAME) nor $(NOBODY)", "WEB_SERVICE_HOST": service.Spec.ClusterIP, "WEB_SERVICE_PORT": "80", "HOSTNAME": "env",
		} {
			Expect(env).To(HaveKeyWithValue(name, want))
		}
		Expect(env).NotTo(HaveKey("ABSENT"))
	})

	It("does not start a container before the ConfigMap that it needs exists", Label("NODE-007"), func(ctx SpecContext) {
		s := scene.New(ctx)
		inEnv := s.Echo("in-env", nil)
		inEnv.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named("late")}}}
		inVolume := s.Echo("in-volume", nil)
		inVolume.Spec.Volumes = []corev1.Volume{{Name: "shared", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: named("late")}}}}
		inVolume.Spec.Containers[0].VolumeMounts = shared()
		inVariable := s.Echo("in-variable", nil)
		inVariable.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "KEY", ValueFrom: &corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named("late"), Key: "KEY"},
		}}}
		s.Create(ctx, inEnv)
		s.Create(ctx, inVariable)
		s.Create(ctx, inVolume)
		s.WaitWaiting(ctx, "in-env", "echo", "CreateContainerConfigError")
		s.WaitWaiting(ctx, "in-variable", "echo", "CreateContainerConfigError")
		s.WaitWaiting(ctx, "in-volume", "echo", "ContainerCreating")
		settings(ctx, s, "late", map[string]string{"KEY": "here now"})
		for _, pod := range []string{"in-env", "in-variable"} {
			s.WaitReady(ctx, pod)
			Expect(environment(ctx, s, pod)).To(HaveKeyWithValue("KEY", "here now"), pod)
		}
		s.WaitReady(ctx, "in-volume")
		file(ctx, s, "in-volume", scene.EchoPort, "/shared/KEY").Should(Equal("here now"))
	})
}

func named(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }

func fromField(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

func fromResource(name, what, divisor string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: what, Divisor: resource.MustParse(divisor)}}}
}

func settings(ctx context.Context, s *scene.Scene, name string, data map[string]string) {
	GinkgoHelper()
	_, err := s.API.CoreV1().ConfigMaps(s.Namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred(), "create ConfigMap %s", name)
}

func secret(ctx context.Context, s *scene.Scene, name, key, value string) {
	GinkgoHelper()
	_, err := s.API.CoreV1().Secrets(s.Namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{key: value}}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred(), "create Secret %s", name)
}

// environment is what the echo fixture sees.
func environment(ctx context.Context, s *scene.Scene, pod string) map[string]string {
	GinkgoHelper()
	body, err := s.Ask(ctx, pod, scene.EchoPort, "/env")
	Expect(err).NotTo(HaveOccurred())
	env := map[string]string{}
	Expect(json.Unmarshal([]byte(body), &env)).To(Succeed())
	return env
}
