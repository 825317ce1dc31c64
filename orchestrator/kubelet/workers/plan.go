package workers

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// View is everything that a decision about a pod that should run rests on.
type View struct {
	Pod     *corev1.Pod
	Runtime *runtime.Pod
	// Started is true once a running container has passed its startup probe and its postStart hook.
	Started func(m podinfo.Member, c *runtime.Container) bool
	// Failed names the probe that wants a running container restarted, empty for none.
	Failed func(m podinfo.Member, c *runtime.Container) string
	// Resized says what a running container's allocated resources ask for.
	Resized func(m podinfo.Member, c *runtime.Container) change
	// Wait is how long a container that ended must wait before it is started again.
	Wait func(m podinfo.Member, c *runtime.Container) time.Duration
}

// Plan is what to do next. After it is done, the pod is looked at again.
type Plan struct {
	// NewSandbox makes a sandbox with that attempt, after everything of an old one is stopped.
	NewSandbox bool
	Attempt    uint32
	Stop       []Stop
	// Resize running containers in place.
	Resize []Resize
	Start  []Start
	// Waiting are containers in back-off, with what is left of it.
	Waiting map[string]time.Duration
	// Done says that nothing will be started again: what still runs (sidecars) is to be stopped, and the pod is over.
	Done bool
}

// Stop of one running container.
type Stop struct {
	Member  podinfo.Member
	Target  *runtime.Container
	Message string
	// Probe is the probe that failed: its own grace period counts.
	Probe string
}

// Resize of one running container.
type Resize struct {
	Member podinfo.Member
	Target *runtime.Container
}

// Start of one container.
type Start struct {
	Member   podinfo.Member
	Restarts int32
	// After is the start that ended, nil for the first.
	After *runtime.Container
}

// usable is true for a sandbox that containers can be started in.
func usable(pod *corev1.Pod, s *runtime.Sandbox) bool {
	if s == nil || !s.Ready {
		return false
	}
	if hostNetwork := s.Network == runtimeapi.NamespaceMode_NODE; hostNetwork != pod.Spec.HostNetwork {
		return false
	}
	return pod.Spec.HostNetwork || len(s.IPs) > 0
}

// step decides. It is pure: the same view gives the same plan.
func step(v View) Plan {
	p := Plan{Waiting: map[string]time.Duration{}}
	s := &stepper{View: v, plan: &p, sandbox: v.Runtime.Sandbox()}
	if !usable(v.Pod, s.sandbox) {
		s.withoutSandbox()
		return p
	}
	s.ephemeral()
	begun := s.begun()
	if s.inits(begun) {
		s.apps()
	}
	return p
}

type stepper struct {
	View
	plan    *Plan
	sandbox *runtime.Sandbox
}

// withoutSandbox makes one unless the pod is over.
func (s *stepper) withoutSandbox() {
	if s.sandbox != nil {
		s.plan.Attempt = s.sandbox.Attempt + 1
	}
	if len(s.Runtime.Containers) > 0 && !s.anyLeft() {
		s.plan.Done = true
		return
	}
	s.plan.NewSandbox = true
}

// anyLeft is true while some container has to be started, now or later.
func (s *stepper) anyLeft() bool {
	never := s.Pod.Spec.RestartPolicy == corev1.RestartPolicyNever
	for _, m := range podinfo.Members(s.Pod) {
		if m.Sort != podinfo.App && m.Sort != podinfo.Init {
			continue
		}
		last := s.Runtime.Latest(m.Container.Name)
		switch {
		case last == nil:
			if m.Sort == podinfo.App && !(never && s.lostInit()) {
				return true
			}
		case m.Sort == podinfo.App && (last.State != runtime.Exited || mayRestart(s.Pod, m, last.ExitCode)):
			return !never || last.State == runtime.Exited
		}
	}
	return false
}

// lostInit is true when an init container ended in failure and may not be tried again.
func (s *stepper) lostInit() bool {
	for _, m := range podinfo.Members(s.Pod) {
		if m.Sort != podinfo.Init {
			continue
		}
		if last := s.Runtime.Latest(m.Container.Name); last != nil && last.State == runtime.Exited && last.ExitCode != 0 && !mayRestart(s.Pod, m, last.ExitCode) {
			return true
		}
	}
	return false
}

// here is the newest start in the present sandbox.
func (s *stepper) here(m podinfo.Member) *runtime.Container {
	if c := s.Runtime.Latest(m.Container.Name); c != nil && c.SandboxID == s.sandbox.ID {
		return c
	}
	return nil
}

// begun is true once an app container was made in the present sandbox: init containers are over then, whatever became of their remains.
func (s *stepper) begun() bool {
	for _, m := range podinfo.Members(s.Pod) {
		if m.Sort == podinfo.App && s.here(m) != nil {
			return true
		}
	}
	return false
}

func (s *stepper) ephemeral() {
	for _, m := range podinfo.Members(s.Pod) {
		if m.Sort == podinfo.Ephemeral && s.Runtime.Latest(m.Container.Name) == nil {
			s.plan.Start = append(s.plan.Start, Start{Member: m})
		}
	}
}

// inits keeps init containers and sidecars going, in order, and reports whether the app containers' turn has come.
func (s *stepper) inits(begun bool) bool {
	for _, m := range podinfo.Members(s.Pod) {
		var passed bool
		switch m.Sort {
		case podinfo.Init:
			passed = begun || s.init(m)
		case podinfo.Sidecar:
			passed = s.sidecar(m) || begun
		default:
			continue
		}
		if !passed {
			return false
		}
	}
	return true
}

// init is true when a plain init container has succeeded.
func (s *stepper) init(m podinfo.Member) bool {
	c := s.here(m)
	switch {
	case c == nil:
		s.start(m)
	case c.State == runtime.Exited && c.ExitCode == 0:
		return true
	case c.State == runtime.Exited && mayRestart(s.Pod, m, c.ExitCode):
		s.startLater(m, c)
	case c.State == runtime.Exited:
		s.plan.Done = true
	case c.State != runtime.Running:
		s.restart(m, c)
	}
	return false
}

// sidecar is true when a sidecar has started, so that what comes after it may.
func (s *stepper) sidecar(m podinfo.Member) bool {
	c := s.here(m)
	switch {
	case c == nil:
		s.start(m)
	case c.State == runtime.Exited:
		s.startLater(m, c)
	case c.State == runtime.Running:
		s.check(m, c)
		return s.Started(m, c)
	default:
		s.restart(m, c)
	}
	return false
}

// apps keeps app containers going. When none will run again the pod is done.
func (s *stepper) apps() {
	open := false
	for _, m := range podinfo.Members(s.Pod) {
		if m.Sort != podinfo.App {
			continue
		}
		c := s.Runtime.Latest(m.Container.Name)
		switch {
		case c == nil:
			s.start(m)
			open = true
		case c.State == runtime.Running && c.SandboxID == s.sandbox.ID:
			s.check(m, c)
			open = true
		case c.State == runtime.Exited:
			if mayRestart(s.Pod, m, c.ExitCode) {
				s.startLater(m, c)
				open = true
			}
		default:
			s.restart(m, c)
			open = true
		}
	}
	s.plan.Done = !open
}

// check stops a running container whose image changed or whose probe failed.
func (s *stepper) check(m podinfo.Member, c *runtime.Container) {
	message, probe := "", s.Failed(m, c)
	resize := s.Resized(m, c)
	switch {
	case c.Hash != runtime.Hash(m.Container):
		message = fmt.Sprintf("Container %s definition changed", m.Container.Name)
	case probe != "":
		message = fmt.Sprintf("Container %s failed %s probe", m.Container.Name, probe)
	case resize == byRestart:
		message = fmt.Sprintf("Container %s resize requires restart", m.Container.Name)
	default:
		if resize == inPlace {
			s.plan.Resize = append(s.plan.Resize, Resize{Member: m, Target: c})
		}
		return
	}
	if resize != byRestart && mayRestart(s.Pod, m, 137) {
		message += ", will be restarted"
	}
	s.plan.Stop = append(s.plan.Stop, Stop{Member: m, Target: c, Message: message, Probe: probe})
}

func (s *stepper) start(m podinfo.Member) {
	restarts := int32(0)
	last := s.Runtime.Latest(m.Container.Name)
	if last != nil {
		restarts = last.Restarts + 1
	}
	s.plan.Start = append(s.plan.Start, Start{Member: m, Restarts: restarts, After: last})
}

// startLater starts a container that ended, when its back-off is over.
func (s *stepper) startLater(m podinfo.Member, c *runtime.Container) {
	if left := s.Wait(m, c); left > 0 {
		s.plan.Waiting[m.Container.Name] = left
		return
	}
	s.start(m)
}

// restart replaces a container in a state that it cannot leave by itself.
func (s *stepper) restart(m podinfo.Member, c *runtime.Container) {
	s.plan.Stop = append(s.plan.Stop, Stop{Member: m, Target: c, Message: fmt.Sprintf("Container is in %q state, try killing it before restart", c.State)})
	s.start(m)
}
