package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	certificatesv1client "k8s.io/client-go/kubernetes/typed/certificates/v1"
	"k8s.io/client-go/rest"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/admission"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/config"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/identity"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/node"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/process"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/sysctls"
)

// ground is what a kubelet stands on: the machine, its control groups and the runtime, held against the configuration.
type ground struct {
	machine  *node.Machine
	reserved node.Reserved
	tree     *cgroups.Tree
	able     admission.Node
	runtime  *runtime.Client
}

// ground waits for the container runtime.
func (k *Kubelet) ground(ctx context.Context) (*ground, error) {
	cfg, s := k.cfg, k.cfg.Settings
	g := &ground{tree: cgroups.Open("/sys/fs/cgroup", s.CgroupRoot)}
	if err := demands(s, g.tree.V2()); err != nil {
		return nil, err
	}
	process.Adjust(*s.OOMScoreAdj, s.MaxOpenFiles, cfg.Logger)
	if s.EnableContentionProfiling && *s.EnableDebuggingHandlers {
		goruntime.SetBlockProfileRate(1)
	}
	policy, err := sysctls.New(s.AllowedUnsafeSysctls)
	if err != nil {
		return nil, err
	}
	g.able = admission.Node{Sysctls: policy, AppArmor: appArmor()}
	if err := g.pods(cfg.Root, s); err != nil {
		return nil, err
	}
	rules := runtime.Rules{V2: g.tree.V2(), CountsSwap: g.tree.CountsSwap(), OneByOne: !g.tree.V2() || (s.SingleProcessOOMKill != nil && *s.SingleProcessOOMKill)}
	if rules.Sysctls, err = sysctls.Defaults(s.DefaultPodSysctls); err != nil {
		return nil, err
	}
	if g.runtime, err = runtime.Dial(ctx, runtime.Config{
		Endpoint: s.ContainerRuntimeEndpoint, ImageEndpoint: s.ImageServiceEndpoint, Timeout: s.RuntimeRequestTimeout.Duration, Rules: rules, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	driver, err := g.runtime.CgroupDriver(ctx)
	if err != nil {
		return nil, err
	}
	return g, checkDriver(driver, s.CgroupDriver)
}

// pods reads the machine, and makes the control group of all pods as large as may be.
func (g *ground) pods(root string, s *config.Config) error {
	var err error
	if g.machine, err = node.ReadMachine(root, s.MaxPods, s.PodsPerCore); err != nil {
		return err
	}
	reserved, err := node.ReadReserved(s.SystemReserved, s.KubeReserved)
	if err != nil {
		return err
	}
	if g.reserved, err = g.machine.WithThresholds(reserved, s.EvictionHard); err != nil {
		return err
	}
	bound := g.machine.Bound(reserved, slices.Contains(s.EnforceNodeAllocatable, config.Pods))
	return g.tree.Root(bound.MilliCPU, bound.Memory, bound.PIDs)
}

// demands that the configuration makes of the machine.
func demands(s *config.Config, v2 bool) error {
	var errs []error
	if *s.FailCgroupV1 && !v2 {
		errs = append(errs, errors.New("failCgroupV1: this machine has control groups v1: use one with v2, or say failCgroupV1: false"))
	}
	if one := s.SingleProcessOOMKill; one != nil && !*one && !v2 {
		errs = append(errs, errors.New("singleProcessOOMKill: control groups v1 kill one process at a time: say true, or leave it out"))
	}
	if *s.FailSwapOn {
		errs = append(errs, process.NoSwap("/proc/swaps"))
	}
	if s.ProtectKernelDefaults {
		errs = append(errs, process.KernelDefaults("/proc/sys"))
	}
	return errors.Join(errs...)
}

// checkDriver of control groups: the runtime's counts; one that does not say is believed to have the configured one.
func checkDriver(runtimes, configured string) error {
	driver := runtimes
	if driver == "" {
		driver = configured
	}
	if driver != "cgroupfs" {
		return fmt.Errorf("cgroupDriver: the container runtime's is %s, and this kubelet has cgroupfs only: configure the runtime with it (containerd: SystemdCgroup = false)", driver)
	}
	return nil
}

// appArmor is true when the kernel has it switched on.
func appArmor() bool {
	data, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	return err == nil && strings.HasPrefix(string(data), "Y")
}

// Waits around a new certificate: how often its request is looked at, for how long, and when it is asked for again.
const (
	certificatePoll     = 2 * time.Second
	certificatePatience = 15 * time.Minute
	certificateRetry    = time.Minute
)

// renewal of the client certificate, nil unless it is wanted. From here on the API is reached with the certificate that is renewed.
func (k *Kubelet) renewal() (*identity.Rotator, error) {
	cfg := k.cfg
	if !cfg.Settings.RotateCertificates {
		return nil, nil
	}
	if err := identity.Adopt(cfg.API, cfg.CertDir); err != nil {
		return nil, err
	}
	client, err := certificatesv1client.NewForConfig(cfg.API)
	if err != nil {
		return nil, err
	}
	return &identity.Rotator{
		Dir: cfg.CertDir, Requests: client.CertificateSigningRequests(), Poll: certificatePoll, Patience: certificatePatience, Retry: certificateRetry,
		Now: time.Now, Logger: cfg.Logger,
	}, nil
}

// Bursts that go with a rate which is given alone.
const (
	apiBurst      = 100
	eventBurst    = 100
	registryBurst = 10
)

func orDefault(burst int32, standard int) int {
	if burst > 0 {
		return int(burst)
	}
	return standard
}

// limitRequests obeys a rate that somebody wrote down; else nothing is limited on this side.
func limitRequests(api *rest.Config, s *config.Config) {
	if qps := s.KubeAPIQPS; qps != nil && *qps > 0 {
		api.QPS, api.Burst = float32(*qps), orDefault(s.KubeAPIBurst, apiBurst)
	}
	if api.ContentType != s.ContentType {
		api.ContentType, api.AcceptContentTypes = s.ContentType, s.ContentType
	}
}

// eventsAPI is the API for events, which have a rate of their own.
func eventsAPI(api *rest.Config, s *config.Config) *rest.Config {
	own := rest.CopyConfig(api)
	own.QPS = -1
	if qps := s.EventRecordQPS; qps != nil && *qps > 0 {
		own.QPS, own.Burst = float32(*qps), orDefault(s.EventBurst, eventBurst)
	}
	return own
}
