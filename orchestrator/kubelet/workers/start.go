package workers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/env"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/hooks"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/netfiles"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/volumes"
)

// Reasons of containers that cannot be made or started.
const (
	reasonConfig = "CreateContainerConfigError"
	reasonCreate = "CreateContainerError"
	reasonRun    = "RunContainerError"
	reasonHook   = "PostStartHookError"
)

// failure says why a container waits.
type failure struct {
	status.Waiting
	err error
}

func (f *failure) Error() string { return f.Reason + ": " + f.Message }
func (f *failure) Unwrap() error { return f.err }

func fail(reason string, err error) *failure {
	message := err.Error()
	if _, after, ok := strings.Cut(message, " desc = "); ok {
		message = after
	}
	return &failure{Waiting: status.Waiting{Reason: reason, Message: message}, err: err}
}

// prepare makes the pod's cgroup and folders.
func (w *worker) prepare() error {
	if err := w.settle(); err != nil {
		return err
	}
	dir := w.node.Volumes.PodDir(w.pod.UID)
	return errors.Join(os.MkdirAll(filepath.Join(dir, "volumes"), 0o750), os.MkdirAll(filepath.Join(dir, "plugins"), 0o750))
}

// sandboxConfig is needed to make a sandbox and, unchanged, for each container in it.
func (w *worker) sandboxConfig(attempt uint32) (*runtimeapi.PodSandboxConfig, error) {
	dns, err := w.node.Resolver.DNS(w.pod)
	if err != nil {
		return nil, err
	}
	hostname := ""
	if !w.pod.Spec.HostNetwork {
		host, domain := netfiles.Hostname(w.pod, w.node.Resolver.Domain)
		if hostname, err = netfiles.KernelHostname(w.pod, host, domain); err != nil {
			return nil, err
		}
	}
	return runtime.SandboxConfig(runtime.SandboxRequest{
		Pod: w.pod, Attempt: attempt, Hostname: hostname, DNS: dns, LogRoot: w.node.LogRoot, CgroupParent: w.node.Cgroups.PodPath(w.pod),
		SeccompRoot: w.node.SeccompRoot, Sysctls: sysctls(w.pod),
	}), nil
}

func sysctls(pod *corev1.Pod) map[string]string {
	if pod.Spec.SecurityContext == nil || len(pod.Spec.SecurityContext.Sysctls) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, s := range pod.Spec.SecurityContext.Sysctls {
		m[strings.ReplaceAll(s.Name, "/", ".")] = s.Value
	}
	return m
}

func (w *worker) createSandbox(ctx context.Context, attempt uint32) error {
	config, err := w.sandboxConfig(attempt)
	if err != nil {
		w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+err.Error())
		return err
	}
	handler := ""
	if class := w.pod.Spec.RuntimeClassName; class != nil && *class != "" {
		if handler, err = w.node.Handler(ctx, *class); err != nil {
			w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+err.Error())
			return err
		}
	}
	if err := os.MkdirAll(config.LogDirectory, 0o755); err != nil {
		return err
	}
	if _, err := w.node.Runtime.RunPodSandbox(ctx, config, handler); err != nil {
		if ctx.Err() == nil {
			w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+err.Error())
		}
		return fmt.Errorf("run the sandbox: %w", err)
	}
	return nil
}

// startContainer pulls, creates, starts and runs the postStart hook. What it returns is shown as the container's waiting state.
func (w *worker) startContainer(ctx context.Context, s Start, mounts map[string]volumes.Mounted) *failure {
	m, sandbox := s.Member, w.observed.Sandbox()
	config, err := w.sandboxConfig(sandbox.Attempt)
	if err != nil {
		return fail(reasonConfig, err)
	}
	event := func(kind, reason, message string) { w.node.event(w.pod, m, kind, reason, message) }
	image, err := w.node.Images.Ensure(ctx, images.Request{
		Pod: w.pod, Image: m.Container.Image, Policy: m.Container.ImagePullPolicy, Secrets: w.pullSecrets(ctx), Sandbox: config, Event: event,
	})
	if err != nil {
		var why *images.Error
		if errors.As(err, &why) {
			w.again(why.Retry)
			return &failure{Waiting: status.Waiting{Reason: why.Reason, Message: why.Message}, err: err}
		}
		return fail(images.ErrImagePull, err)
	}
	request, err := w.containerRequest(ctx, s, image, mounts)
	if err == nil {
		var cfg *runtimeapi.ContainerConfig
		if cfg, err = runtime.ContainerConfig(*request); err == nil {
			return w.launch(ctx, s, config, cfg, event)
		}
	}
	event(corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
	return fail(reasonConfig, err)
}

func (w *worker) launch(ctx context.Context, s Start, sandbox *runtimeapi.PodSandboxConfig, cfg *runtimeapi.ContainerConfig, event images.Event) *failure {
	m := s.Member
	id, err := w.node.Runtime.CreateContainer(ctx, w.observed.Sandbox().ID, cfg, sandbox)
	if err != nil {
		event(corev1.EventTypeWarning, "Failed", "Error: "+fail("", err).Message)
		return fail(reasonCreate, err)
	}
	event(corev1.EventTypeNormal, "Created", "Container created")
	w.actuated[id] = m.Container.Resources
	if err := w.node.Runtime.StartContainer(ctx, id); err != nil {
		event(corev1.EventTypeWarning, "Failed", "Error: "+fail("", err).Message)
		return fail(reasonRun, err)
	}
	event(corev1.EventTypeNormal, "Started", "Container started")
	w.linkLog(m.Container.Name, id, filepath.Join(sandbox.LogDirectory, cfg.LogPath))
	if m.Container.Lifecycle != nil && m.Container.Lifecycle.PostStart != nil {
		if err := hooks.Run(ctx, m.Container.Lifecycle.PostStart, m.Container, id, w.podIP(), w.exec); err != nil {
			event(corev1.EventTypeWarning, "FailedPostStartHook", fmt.Sprintf("PostStartHook failed: %v", err))
			w.stopContainer(ctx, m, &runtime.Container{ID: id, Name: m.Container.Name}, "FailedPostStartHook", podinfo.GracePeriod(w.pod))
			return fail(reasonHook, err)
		}
	}
	w.hooked[id] = true
	return nil
}

// linkLog makes the name below /var/log/containers by which log collectors know a container.
func (w *worker) linkLog(container, id, log string) {
	name := fmt.Sprintf("%s_%s_%s-%s.log", w.pod.Name, w.pod.Namespace, container, id)
	dir := filepath.Join(filepath.Dir(w.node.LogRoot), "containers")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.logger.Warn("link a container's log", "err", err)
		return
	}
	if err := os.Symlink(log, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
		w.logger.Warn("link a container's log", "err", err)
	}
}

func (w *worker) pullSecrets(ctx context.Context) []*corev1.Secret {
	var secrets []*corev1.Secret
	for _, ref := range w.pod.Spec.ImagePullSecrets {
		secret, err := w.node.Objects.Secret(ctx, w.pod.Namespace, ref.Name)
		if err != nil {
			w.node.podEvent(w.pod, corev1.EventTypeWarning, "FailedToRetrieveImagePullSecret",
				fmt.Sprintf("Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", ref.Name))
			continue
		}
		secrets = append(secrets, secret)
	}
	return secrets
}

func (w *worker) containerRequest(ctx context.Context, s Start, image *images.Image, ready map[string]volumes.Mounted) (*runtime.ContainerRequest, error) {
	m, c := s.Member, s.Member.Container
	if err := runtime.VerifyNonRoot(runtime.EffectiveSecurity(w.pod, c), image.UID, image.User); err != nil {
		return nil, err
	}
	if err := w.node.ServicesSynced(ctx); err != nil {
		return nil, err
	}
	place := w.node.place(w.pod, w.observed)
	variables, err := env.Make(ctx, w.pod, c, env.Lookups{
		ConfigMap: w.node.Objects.ConfigMap, Secret: w.node.Objects.Secret, Services: w.node.Services,
		Field: func(path string) (string, error) { return podinfo.Field(w.pod, place, path) },
		Resource: func(ref *corev1.ResourceFieldSelector) (string, error) {
			return podinfo.Resource(w.pod, place, ref, c.Name)
		},
	})
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, v := range variables {
		known[v.Key] = string(v.Value)
	}
	mounts, err := w.node.Volumes.ContainerMounts(w.pod, c, ready, func(text string) (string, error) { return expandAll(text, known) }, w.imageVolume(ctx, m))
	if err != nil {
		return nil, err
	}
	own, err := w.ownFiles(c, mounts)
	if err != nil {
		return nil, err
	}
	r := &runtime.ContainerRequest{
		Pod: w.pod, Container: c, Restarts: s.Restarts, Image: image.Ref, ImageUID: image.UID, ImageUser: image.User, Env: variables,
		Command: expandList(c.Command, known), Args: expandList(c.Args, known), Mounts: append(mounts, own...),
		SeccompRoot: w.node.SeccompRoot, SeccompDefault: w.node.SeccompDefault, NodeMemory: w.node.Memory, CFSQuota: w.node.CFSQuota,
	}
	if m.Target != "" {
		r.Target = w.observed.Latest(m.Target)
	}
	return r, nil
}

func expandList(list []string, known map[string]string) []string {
	var out []string
	for _, text := range list {
		out = append(out, env.Expand(text, known))
	}
	return out
}

// expandAll is Expand that refuses what it cannot resolve.
func expandAll(text string, known map[string]string) (string, error) {
	out := env.Expand(text, known)
	if strings.Contains(out, "$(") {
		return "", fmt.Errorf("missing value for %q", text)
	}
	return out, nil
}

// imageVolume pulls the image of an image volume.
func (w *worker) imageVolume(ctx context.Context, m podinfo.Member) func(*corev1.ImageVolumeSource) (string, error) {
	return func(source *corev1.ImageVolumeSource) (string, error) {
		policy := source.PullPolicy
		if policy == "" {
			policy = corev1.PullIfNotPresent
		}
		image, err := w.node.Images.Ensure(ctx, images.Request{
			Pod: w.pod, Image: source.Reference, Policy: policy, Secrets: w.pullSecrets(ctx),
			Event: func(kind, reason, message string) { w.node.event(w.pod, m, kind, reason, message) },
		})
		if err != nil {
			return "", err
		}
		return image.Ref, nil
	}
}

// ownFiles are the mounts that every container has: its hosts file and its termination message.
func (w *worker) ownFiles(c *corev1.Container, have []*runtimeapi.Mount) ([]*runtimeapi.Mount, error) {
	dir := w.node.Volumes.PodDir(w.pod.UID)
	var mounts []*runtimeapi.Mount
	if !anyAt(have, "/etc/hosts") {
		path := filepath.Join(dir, "etc-hosts")
		if err := w.writeHosts(path); err != nil {
			return nil, fmt.Errorf("write the hosts file: %w", err)
		}
		mounts = append(mounts, &runtimeapi.Mount{ContainerPath: "/etc/hosts", HostPath: path})
	}
	if c.TerminationMessagePath != "" {
		path, err := messageFile(filepath.Join(dir, "containers", c.Name))
		if err != nil {
			return nil, fmt.Errorf("make the termination message file: %w", err)
		}
		mounts = append(mounts, &runtimeapi.Mount{ContainerPath: c.TerminationMessagePath, HostPath: path})
	}
	return mounts, nil
}

func anyAt(mounts []*runtimeapi.Mount, path string) bool {
	for _, m := range mounts {
		if m.ContainerPath == path {
			return true
		}
	}
	return false
}

func (w *worker) writeHosts(path string) error {
	var nodes []byte
	if w.pod.Spec.HostNetwork {
		data, err := os.ReadFile("/etc/hosts")
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		nodes = data
	}
	host, domain := netfiles.Hostname(w.pod, w.node.Resolver.Domain)
	content := netfiles.Hosts(w.pod, w.node.place(w.pod, w.observed).PodIPs, host, domain, nodes)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644)
}

// messageFile is one per start, writable by whatever user the container runs as.
func messageFile(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	name := make([]byte, 4)
	if _, err := rand.Read(name); err != nil {
		return "", err
	}
	path := filepath.Join(dir, hex.EncodeToString(name))
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o666)
}
