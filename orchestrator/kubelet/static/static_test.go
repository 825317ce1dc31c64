package static

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
)

const web = `apiVersion: v1
kind: Pod
metadata: {name: web, labels: {role: myrole}}
spec:
  containers: [{name: web, image: "registry.example/web:v1"}]
`

func TestParseMakesAPodOfThisNode(t *testing.T) {
	pod, err := Parse([]byte(web), "/m/web.yaml", "node1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse([]byte(web), "/m/web.yaml", "node1")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case pod.Name != "web-node1" || pod.Namespace != "default" || pod.Spec.NodeName != "node1":
		t.Errorf("it is %s/%s on %s", pod.Namespace, pod.Name, pod.Spec.NodeName)
	case pod.UID == "" || pod.UID != again.UID:
		t.Errorf("UIDs %q and %q: the next kubelet would not know it", pod.UID, again.UID)
	case !podinfo.IsStatic(pod) || pod.Annotations[podinfo.HashAnnotation] != string(pod.UID):
		t.Errorf("annotations %v", pod.Annotations)
	case pod.Spec.RestartPolicy != corev1.RestartPolicyAlways || pod.Spec.Containers[0].ImagePullPolicy != corev1.PullIfNotPresent:
		t.Errorf("not defaulted: %+v", pod.Spec)
	case len(pod.Spec.Tolerations) != 1 || pod.Spec.Tolerations[0].Effect != corev1.TaintEffectNoExecute:
		t.Errorf("tolerations %v: a taint would end it", pod.Spec.Tolerations)
	}
	for _, other := range []struct{ data, file, node string }{
		{strings.Replace(web, "v1\"", "v2\"", 1), "/m/web.yaml", "node1"}, {web, "/m/other.yaml", "node1"}, {web, "/m/web.yaml", "node2"},
	} {
		if p, err := Parse([]byte(other.data), other.file, other.node); err != nil || p.UID == pod.UID {
			t.Errorf("%v gives the same pod, or %v", other, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, row := range map[string]struct{ data, want string }{
		"no YAML":           {"{", "parse"},
		"another kind":      {"apiVersion: v1\nkind: ConfigMap\n", "want v1 Pod"},
		"no container":      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n", "spec.containers"},
		"a bad name":        {strings.Replace(web, "name: web,", "name: We_b,", 1), "metadata.name"},
		"a service account": {web + "  serviceAccountName: a\n", "can not reference serviceaccounts"},
		"a config map":      {web + "  volumes: [{name: v, configMap: {name: c}}]\n", "can not reference configmaps"},
		"a secret in env":   {strings.Replace(web, `v1"}`, `v1", env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}`, 1), "can not reference configmaps or secrets"},
	} {
		if _, err := Parse([]byte(row.data), "f", "n"); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
}

type sink map[types.UID]string

func (s sink) Set(pod *corev1.Pod) { s[pod.UID] = pod.Name + " " + pod.Spec.Containers[0].Image }
func (s sink) Gone(uid types.UID)  { delete(s, uid) }

func (s sink) String() string {
	var all []string
	for _, name := range s {
		all = append(all, name)
	}
	return strings.Join(all, ",")
}

func TestFolderFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	pods := sink{}
	f := &Folder{Path: filepath.Join(dir, "manifests"), Node: "n", Sink: pods, Logger: slog.New(slog.DiscardHandler), Every: time.Minute}
	now := time.Now()
	step := func(what, want string) {
		t.Helper()
		now = now.Add(time.Second)
		f.Look(now)
		if got := pods.String(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	write := func(name, data string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(f.Path, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	step("no folder", "")
	if !f.Read() {
		t.Error("a folder that does not exist has no pods: that is known")
	}
	if err := os.Mkdir(f.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	write("web.yaml", web)
	write(".hidden.yaml", strings.Replace(web, "name: web,", "name: hidden,", 1))
	step("a file", "web-n registry.example/web:v1")
	step("nothing new", "web-n registry.example/web:v1")
	write("web.yaml", strings.Replace(web, "web:v1", "web:v10", 1))
	step("another image", "web-n registry.example/web:v10")
	write("web.yaml", "{ broken")
	step("broken", "")
	write("web.yaml", web)
	step("mended", "web-n registry.example/web:v1")
	if err := os.Remove(filepath.Join(f.Path, "web.yaml")); err != nil {
		t.Fatal(err)
	}
	step("removed", "")
}
