package workers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// always makes an init container a sidecar.
var always = corev1.ContainerRestartPolicyAlways

func pod(policy corev1.RestartPolicy, inits, apps string) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: policy}}
	for _, name := range strings.Fields(inits) {
		c := corev1.Container{Name: name, Image: "i"}
		if strings.HasPrefix(name, "side") {
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	for _, name := range strings.Fields(apps) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name, Image: "i"})
	}
	return p
}

// seen builds an observation from words: name=running, name=EXITCODE, and @SANDBOX behind either for another sandbox than the newest.
func seen(sandbox bool, containers string) *runtime.Pod {
	r := &runtime.Pod{}
	if sandbox {
		r.Sandboxes = []*runtime.Sandbox{{ID: "s", Ready: true, IPs: []string{"10.0.0.1"}}}
	}
	for _, word := range strings.Fields(containers) {
		name, state, _ := strings.Cut(word, "=")
		state, other, old := strings.Cut(state, "@")
		c := &runtime.Container{ID: "id-" + word, Name: name, SandboxID: "s", State: runtime.Running, Hash: runtime.Hash(&corev1.Container{Name: name, Image: "i"})}
		if old {
			c.SandboxID = other
		}
		if state != "running" {
			c.State = runtime.Exited
			if _, err := fmt.Sscan(state, &c.ExitCode); err != nil {
				panic(err)
			}
		}
		r.Containers = append(r.Containers, c)
	}
	return r
}

// text of a plan, for the table.
func text(p Plan) string {
	var words []string
	if p.NewSandbox {
		words = append(words, fmt.Sprintf("sandbox/%d", p.Attempt))
	}
	for _, s := range p.Stop {
		words = append(words, "stop "+s.Member.Container.Name)
	}
	for _, s := range p.Start {
		words = append(words, fmt.Sprintf("start %s/%d", s.Member.Container.Name, s.Restarts))
	}
	for name := range p.Waiting {
		words = append(words, "wait "+name)
	}
	if p.Done {
		words = append(words, "done")
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func TestStep(t *testing.T) {
	const everything, onFailure, never = corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever
	for _, row := range []struct {
		name          string
		pod           *corev1.Pod
		sandbox       bool
		containers    string
		waiting, sick string // containers in back-off, containers whose liveness failed
		unstarted     string // running containers that have not passed their startup probe
		want          string
	}{
		{name: "a new pod gets a sandbox", pod: pod(everything, "", "a"), want: "sandbox/0"},
		{name: "all apps start at once", pod: pod(everything, "", "a b"), sandbox: true, want: "start a/0, start b/0"},
		{name: "nothing to do", pod: pod(everything, "", "a"), sandbox: true, containers: "a=running"},
		{name: "init containers go first", pod: pod(everything, "i j", "a"), sandbox: true, want: "start i/0"},
		{name: "one at a time", pod: pod(everything, "i j", "a"), sandbox: true, containers: "i=running"},
		{name: "the next after success", pod: pod(everything, "i j", "a"), sandbox: true, containers: "i=0", want: "start j/0"},
		{name: "apps after all of them", pod: pod(everything, "i j", "a"), sandbox: true, containers: "i=0 j=0", want: "start a/0"},
		{name: "a failed init container is tried again", pod: pod(everything, "i", "a"), sandbox: true, containers: "i=1", want: "start i/1"},
		{name: "after its back-off", pod: pod(everything, "i", "a"), sandbox: true, containers: "i=1", waiting: "i", want: "wait i"},
		{name: "never again under Never", pod: pod(never, "i", "a"), sandbox: true, containers: "i=1", want: "done"},
		{name: "a sidecar holds what follows until it started", pod: pod(everything, "side i", "a"), sandbox: true, containers: "side=running", unstarted: "side"},
		{name: "a started sidecar lets the next begin", pod: pod(everything, "side i", "a"), sandbox: true, containers: "side=running", want: "start i/0"},
		{name: "a sidecar that ended is started again", pod: pod(everything, "side", "a"), sandbox: true, containers: "side=0 a=running", want: "start side/1"},
		{name: "also under Never", pod: pod(never, "side", "a"), sandbox: true, containers: "side=1 a=running", want: "start side/1"},
		{name: "Always restarts a success", pod: pod(everything, "", "a"), sandbox: true, containers: "a=0", want: "start a/1"},
		{name: "OnFailure does not", pod: pod(onFailure, "", "a"), sandbox: true, containers: "a=0", want: "done"},
		{name: "OnFailure restarts a failure", pod: pod(onFailure, "", "a b"), sandbox: true, containers: "a=0 b=2", want: "start b/1"},
		{name: "Never leaves both", pod: pod(never, "", "a b"), sandbox: true, containers: "a=0 b=2", want: "done"},
		{name: "not done while one runs", pod: pod(never, "", "a b"), sandbox: true, containers: "a=0 b=running"},
		{name: "sidecars do not keep a pod", pod: pod(never, "side", "a"), sandbox: true, containers: "side=running a=0", want: "done"},
		{name: "a failed probe stops", pod: pod(everything, "", "a b"), sandbox: true, containers: "a=running b=running", sick: "b", want: "stop b"},
		{name: "a lost sandbox is replaced", pod: pod(everything, "", "a"), containers: "a=137@old", want: "sandbox/0"},
		{name: "but not for a pod that is over", pod: pod(never, "", "a"), containers: "a=0@old", want: "done"},
		{name: "init containers run again in a new sandbox", pod: pod(everything, "i", "a"), sandbox: true, containers: "i=0@old a=137@old", want: "start i/1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := text(step(View{
				Pod: row.pod, Runtime: seen(row.sandbox, row.containers),
				Started: func(m podinfo.Member, _ *runtime.Container) bool { return m.Container.Name != row.unstarted },
				Failed: func(m podinfo.Member, _ *runtime.Container) string {
					if m.Container.Name == row.sick {
						return "liveness"
					}
					return ""
				},
				Resized: func(podinfo.Member, *runtime.Container) change { return unchanged },
				Wait: func(m podinfo.Member, _ *runtime.Container) time.Duration {
					if m.Container.Name == row.waiting {
						return time.Second
					}
					return 0
				},
			}))
			if got != row.want {
				t.Errorf("plan %q, want %q", got, row.want)
			}
		})
	}
}

func TestMayRestartByRules(t *testing.T) {
	in := corev1.ContainerRestartRule{Action: corev1.ContainerRestartRuleActionRestart, ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{
		Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42},
	}}
	c := &corev1.Container{Name: "a", RestartPolicyRules: []corev1.ContainerRestartRule{in}}
	p := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever}}
	for code, want := range map[int32]bool{42: true, 1: false, 0: false} {
		if got := mayRestart(p, podinfo.Member{Sort: podinfo.App, Container: c}, code); got != want {
			t.Errorf("exit code %d: %t, want %t", code, got, want)
		}
	}
}
