package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// node is a runtime with one pod that runs, one whose sandbox alone is ready, one that has ended, and something that is no pod's.
type node struct{ criapi.RuntimeService }

func labels(pod, container string) map[string]string {
	return map[string]string{runtime.LabelPodName: pod, runtime.LabelPodNamespace: "default", runtime.LabelPodUID: "uid-" + pod, runtime.LabelContainerName: container}
}

func (node) ListPodSandbox(_ context.Context, f *runtimeapi.PodSandboxFilter) ([]*runtimeapi.PodSandbox, error) {
	ready, dead := runtimeapi.PodSandboxState_SANDBOX_READY, runtimeapi.PodSandboxState_SANDBOX_NOTREADY
	var found []*runtimeapi.PodSandbox
	for _, s := range []*runtimeapi.PodSandbox{
		{Id: "1", State: ready, CreatedAt: 1, Labels: labels("runs", "")}, {Id: "2", State: ready, CreatedAt: 2, Labels: labels("begins", "")},
		{Id: "3", State: dead, CreatedAt: 3, Labels: labels("ended", "")}, {Id: "4", State: ready, CreatedAt: 4},
	} {
		if f.GetState() == nil || s.State == f.GetState().State {
			found = append(found, s)
		}
	}
	return found, nil
}

func (node) ListContainers(_ context.Context, f *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error) {
	var found []*runtimeapi.Container
	for _, c := range []*runtimeapi.Container{
		{Id: "a", State: runtime.Running, Labels: labels("runs", "web"), Image: &runtimeapi.ImageSpec{Image: "sha256:1", UserSpecifiedImage: "web:v1"}},
		{Id: "b", State: runtime.Exited, Labels: labels("runs", "init"), Image: &runtimeapi.ImageSpec{Image: "sha256:2"}},
		{Id: "c", State: runtime.Exited, Labels: labels("ended", "job"), Image: &runtimeapi.ImageSpec{Image: "sha256:3"}},
	} {
		if f.GetState() == nil || c.State == f.GetState().State {
			found = append(found, c)
		}
	}
	return found, nil
}

type noPods struct{}

func (noPods) Pods() []*corev1.Pod             { return nil }
func (noPods) Find(string, string) *corev1.Pod { return nil }
func (noPods) Observed(types.UID) *runtime.Pod { return nil }

// ask a server that lets everybody in.
func ask(t *testing.T, offers Offers, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	h := Handler(Config{
		Auth: AuthConfig{Anonymous: true}, Runtime: &runtime.Client{RuntimeService: node{}}, Pods: noPods{}, Offers: offers, LogDir: t.TempDir(),
		Health: func(context.Context) error { return nil }, Verbosity: func(int) {},
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w
}

// The path without the slash was a redirect, which led clients of the API's proxy nowhere.
func TestRunningPodsAreThoseThatTheRuntimeRuns(t *testing.T) {
	for _, path := range []string{"/runningpods", "/runningpods/"} {
		w := ask(t, Offers{Debugging: true}, http.MethodGet, path, "")
		var list corev1.PodList
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != http.StatusOK || list.Kind != "PodList" || list.APIVersion != "v1" {
			t.Fatalf("%s: %d %s (%v)", path, w.Code, w.Body, err)
		}
		if len(list.Items) != 2 || list.Items[0].Name != "begins" || list.Items[1].Name != "runs" || list.Items[1].UID != "uid-runs" {
			t.Fatalf("%s: %v", path, list.Items)
		}
		if c := list.Items[1].Spec.Containers; len(c) != 1 || c[0].Name != "web" || c[0].Image != "web:v1" {
			t.Errorf("%s: containers %v", path, c)
		}
	}
}

// Every switch was ignored: a node whose sessions were switched off let people in.
func TestWhatIsSwitchedOffSaysSo(t *testing.T) {
	everything := Offers{Debugging: true, SystemLogs: true, Profiling: true, Flags: true}
	without := func(change func(*Offers)) Offers {
		o := everything
		change(&o)
		return o
	}
	for name, row := range map[string]struct {
		offers       Offers
		method, path string
		code         int
		says         string
	}{
		"health":             {Offers{}, http.MethodGet, "/healthz", http.StatusOK, "ok"},
		"health's check":     {Offers{}, http.MethodGet, "/healthz/syncloop", http.StatusOK, "ok"},
		"a check of nobody":  {Offers{}, http.MethodGet, "/healthz/other", http.StatusNotFound, ""},
		"pods":               {Offers{}, http.MethodGet, "/pods", http.StatusOK, "PodList"},
		"metrics":            {Offers{}, http.MethodGet, "/metrics", http.StatusOK, ""},
		"exec":               {everything, http.MethodPost, "/exec/default/p/c?output=1", http.StatusNotFound, "pod does not exist"},
		"no exec":            {Offers{}, http.MethodPost, "/exec/default/p/c?output=1", http.StatusMethodNotAllowed, noDebugging},
		"no attach":          {Offers{}, http.MethodPost, "/attach/default/p/c", http.StatusMethodNotAllowed, noDebugging},
		"no run":             {Offers{}, http.MethodPost, "/run/default/p/c", http.StatusMethodNotAllowed, noDebugging},
		"no port-forward":    {Offers{}, http.MethodGet, "/portForward/default/p", http.StatusMethodNotAllowed, noDebugging},
		"no container's log": {Offers{}, http.MethodGet, "/containerLogs/default/p/c", http.StatusMethodNotAllowed, noDebugging},
		"no running pods":    {Offers{}, http.MethodGet, "/runningpods", http.StatusMethodNotAllowed, noDebugging},
		"no configuration":   {Offers{}, http.MethodGet, "/configz", http.StatusMethodNotAllowed, noDebugging},
		"logs":               {everything, http.MethodGet, "/logs/", http.StatusOK, ""},
		"no logs":            {without(func(o *Offers) { o.SystemLogs = false }), http.MethodGet, "/logs/", http.StatusMethodNotAllowed, noSystemLogs},
		"logs, nothing else": {Offers{SystemLogs: true}, http.MethodGet, "/logs/", http.StatusMethodNotAllowed, noDebugging},
		"profiles":           {everything, http.MethodGet, "/debug/pprof/goroutine?debug=1", http.StatusOK, "goroutine"},
		"no profiles":        {without(func(o *Offers) { o.Profiling = false }), http.MethodGet, "/debug/pprof/", http.StatusMethodNotAllowed, noProfiling},
		"verbosity":          {everything, http.MethodPut, "/debug/flags/v", http.StatusOK, "verbosity to 5"},
		"verbosity, asked":   {everything, http.MethodGet, "/debug/flags/v", http.StatusMethodNotAllowed, ""},
		"no verbosity":       {without(func(o *Offers) { o.Flags = false }), http.MethodPut, "/debug/flags/v", http.StatusMethodNotAllowed, noFlags},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, row.offers, row.method, row.path, "5")
			if w.Code != row.code || !strings.Contains(w.Body.String(), row.says) {
				t.Errorf("%s %s: %d %s; want %d %s", row.method, row.path, w.Code, w.Body, row.code, row.says)
			}
		})
	}
}
