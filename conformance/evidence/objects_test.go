package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

func TestWhatSecretsHoldIsNotKept(t *testing.T) {
	secret := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "key", Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}},
		Data:       map[string][]byte{"password": []byte("hunter2")}, StringData: map[string]string{"password": "hunter2"},
	}
	dir := t.TempDir()
	api := fake.NewSimpleDynamicClient(scheme.Scheme, secret)
	if err := write(t.Context(), api, corev1.SchemeGroupVersion.WithResource("secrets"), dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "secrets.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); !strings.Contains(text, "name: key") || strings.Contains(text, "hunter2") || strings.Contains(text, "password") {
		t.Errorf("kept:\n%s", text)
	}
}

func TestListable(t *testing.T) {
	got := listable([]*metav1.APIResourceList{{GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "pods", Verbs: metav1.Verbs{"list"}}, {Name: "pods/log", Verbs: metav1.Verbs{"get", "list"}}, {Name: "bindings", Verbs: metav1.Verbs{"create"}},
	}}})
	if len(got) != 1 || got[0].Resource != "pods" {
		t.Errorf("got %v", got)
	}
}
