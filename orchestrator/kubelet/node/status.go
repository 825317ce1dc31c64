package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	cri "github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Config of a reporter.
type Config struct {
	Name      string
	Addresses []string
	Port      int32
	Labels    map[string]string
	Taints    []corev1.Taint
	Register  bool
	Machine   *Machine
	Reserved  Reserved
	Client    corev1client.NodeInterface
	Runtime   *cri.Client
	Recorder  record.EventRecorder
	// Every is how often the status is looked at; it is written when it changed, or after Report.
	Every, Report time.Duration
	// MaxImages are shown of this node, all of them when it is negative.
	MaxImages int32
	// ProviderID is the node's name in the cloud, empty when there is none.
	ProviderID string
	// Pressure returns conditions that are true: MemoryPressure, DiskPressure, PIDPressure.
	Pressure func() map[corev1.NodeConditionType]bool
	Logger   *slog.Logger
}

// Reporter keeps the Node object true.
type Reporter struct {
	cfg  Config
	now  chan struct{}
	sent time.Time
}

// New makes a reporter.
func New(cfg Config) *Reporter { return &Reporter{cfg: cfg, now: make(chan struct{}, 1)} }

// Soon asks for a look at the status before its time.
func (r *Reporter) Soon() {
	select {
	case r.now <- struct{}{}:
	default:
	}
}

const fastRetry = 200 * time.Millisecond

// Run registers the node and reports until ctx ends. Until the node is ready it looks often: a cluster waits for it.
func (r *Reporter) Run(ctx context.Context) {
	wait := time.Duration(0)
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.now:
		case <-timer.C:
		}
		timer.Stop()
		ready, err := r.report(ctx)
		wait = r.cfg.Every
		if err != nil && ctx.Err() == nil {
			r.cfg.Logger.Info("report the node", "err", err)
		}
		if err != nil || !ready {
			wait = min(max(2*wait/100, fastRetry), r.cfg.Every)
		}
	}
}

// report writes the status if it has to be and returns whether the node is ready.
func (r *Reporter) report(ctx context.Context) (bool, error) {
	current, err := r.cfg.Client.Get(ctx, r.cfg.Name, metav1.GetOptions{ResourceVersion: "0"})
	if apierrors.IsNotFound(err) {
		current, err = r.register(ctx)
	}
	if err != nil {
		return false, err
	}
	want := current.DeepCopy()
	r.labels(want)
	ready := r.fill(ctx, want)
	if !equality.Semantic.DeepEqual(current.ObjectMeta, want.ObjectMeta) {
		if err := r.patch(ctx, current, want, ""); err != nil {
			return ready, err
		}
	}
	if !changed(current.Status, want.Status) && time.Since(r.sent) < r.cfg.Report {
		return ready, nil
	}
	if err := r.patch(ctx, current, want, "status"); err != nil {
		return ready, err
	}
	r.sent = time.Now()
	return ready, nil
}

func (r *Reporter) register(ctx context.Context) (*corev1.Node, error) {
	if !r.cfg.Register {
		return nil, fmt.Errorf("node %q does not exist and registerNode is false", r.cfg.Name)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: r.cfg.Name}}
	node.Spec.Taints, node.Spec.ProviderID = r.cfg.Taints, r.cfg.ProviderID
	r.labels(node)
	r.fill(ctx, node)
	created, err := r.cfg.Client.Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("register node %q: %w", r.cfg.Name, err)
	}
	r.sent = time.Now()
	r.cfg.Logger.Info("registered the node", "node", r.cfg.Name)
	return created, nil
}

func (r *Reporter) labels(node *corev1.Node) {
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	maps.Copy(node.Labels, map[string]string{
		corev1.LabelHostname: hostname(r.cfg.Name), corev1.LabelOSStable: runtime.GOOS, corev1.LabelArchStable: runtime.GOARCH,
		"beta.kubernetes.io/os": runtime.GOOS, "beta.kubernetes.io/arch": runtime.GOARCH,
	})
	maps.Copy(node.Labels, r.cfg.Labels)
	if node.Annotations == nil {
		node.Annotations = map[string]string{}
	}
	node.Annotations["volumes.kubernetes.io/controller-managed-attach-detach"] = "true"
}

func hostname(name string) string { return name }

func (r *Reporter) patch(ctx context.Context, before, after *corev1.Node, sub string) error {
	a, b := *before, *after
	if sub == "" {
		b.Status = a.Status
	} else {
		b.ObjectMeta = a.ObjectMeta
	}
	old, err := json.Marshal(a)
	if err != nil {
		return err
	}
	now, err := json.Marshal(b)
	if err != nil {
		return err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(old, now, corev1.Node{})
	if err != nil {
		return err
	}
	var subs []string
	if sub != "" {
		subs = append(subs, sub)
	}
	if _, err := r.cfg.Client.Patch(ctx, r.cfg.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, subs...); err != nil {
		return fmt.Errorf("patch node %q: %w", r.cfg.Name, err)
	}
	return nil
}

// changed compares statuses without heartbeats.
func changed(a, b corev1.NodeStatus) bool {
	a, b = *a.DeepCopy(), *b.DeepCopy()
	for _, s := range []*corev1.NodeStatus{&a, &b} {
		for i := range s.Conditions {
			s.Conditions[i].LastHeartbeatTime = metav1.Time{}
		}
	}
	return !equality.Semantic.DeepEqual(a, b)
}

// fill writes everything that is ours into status and returns whether the node is ready.
func (r *Reporter) fill(ctx context.Context, node *corev1.Node) bool {
	s := &node.Status
	s.Addresses = nil
	for _, ip := range r.cfg.Addresses {
		s.Addresses = append(s.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: ip})
	}
	s.Addresses = append(s.Addresses, corev1.NodeAddress{Type: corev1.NodeHostName, Address: r.cfg.Name})
	extended := s.Capacity
	s.Capacity, s.Allocatable = r.cfg.Machine.Capacity(), r.allocatable(s.Allocatable)
	for name, q := range extended {
		if _, ours := s.Capacity[name]; !ours { // an extended resource that somebody advertised
			s.Capacity[name] = q
			s.Allocatable[name] = q
		}
	}
	s.DaemonEndpoints.KubeletEndpoint.Port = r.cfg.Port
	s.NodeInfo = r.cfg.Machine.Info
	s.Images = r.images(ctx)
	runtimeProblem := r.runtimeStatus(ctx, s)
	r.conditions(s, runtimeProblem)
	return runtimeProblem == ""
}

func (r *Reporter) allocatable(old corev1.ResourceList) corev1.ResourceList {
	return r.cfg.Machine.Allocatable(r.cfg.Reserved)
}

// runtimeStatus fills what the runtime says about itself, and returns why the node cannot run pods, empty when it can.
func (r *Reporter) runtimeStatus(ctx context.Context, s *corev1.NodeStatus) string {
	version, err := r.cfg.Runtime.Version(ctx, "")
	if err != nil {
		return "container runtime is down"
	}
	s.NodeInfo.ContainerRuntimeVersion = version.RuntimeName + "://" + version.RuntimeVersion
	status, err := r.cfg.Runtime.Status(ctx, false)
	if err != nil {
		return "container runtime status check may not have completed yet"
	}
	groups := status.GetFeatures().GetSupplementalGroupsPolicy()
	s.Features = &corev1.NodeFeatures{SupplementalGroupsPolicy: &groups}
	s.RuntimeHandlers = handlers(status.RuntimeHandlers)
	for _, c := range status.GetStatus().GetConditions() {
		if !c.Status {
			if c.Type == runtimeapi.NetworkReady {
				return fmt.Sprintf("container runtime network not ready: NetworkReady=false reason:%s message:%s", c.Reason, c.Message)
			}
			if c.Type == runtimeapi.RuntimeReady {
				return fmt.Sprintf("container runtime not ready: RuntimeReady=false reason:%s message:%s", c.Reason, c.Message)
			}
		}
	}
	return ""
}

func handlers(list []*runtimeapi.RuntimeHandler) []corev1.NodeRuntimeHandler {
	var all []corev1.NodeRuntimeHandler
	for _, h := range list {
		f := h.GetFeatures()
		rro, userns := f.GetRecursiveReadOnlyMounts(), false // whatever the runtime could: pods that ask for it are refused
		all = append(all, corev1.NodeRuntimeHandler{Name: h.Name, Features: &corev1.NodeRuntimeHandlerFeatures{RecursiveReadOnlyMounts: &rro, UserNamespaces: &userns}})
	}
	slices.SortFunc(all, func(a, b corev1.NodeRuntimeHandler) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// texts of the pressure conditions: reason and message, false and true.
var texts = []struct {
	kind                  corev1.NodeConditionType
	okReason, okMessage   string
	badReason, badMessage string
}{
	{corev1.NodeMemoryPressure, "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"},
	{corev1.NodeDiskPressure, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", "KubeletHasDiskPressure", "kubelet has disk pressure"},
	{corev1.NodePIDPressure, "KubeletHasSufficientPID", "kubelet has sufficient PID available", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"},
}

func (r *Reporter) conditions(s *corev1.NodeStatus, problem string) {
	now := metav1.Now().Rfc3339Copy()
	pressure := map[corev1.NodeConditionType]bool{}
	if r.cfg.Pressure != nil {
		pressure = r.cfg.Pressure()
	}
	for _, t := range texts {
		c := corev1.NodeCondition{Type: t.kind, Status: corev1.ConditionFalse, Reason: t.okReason, Message: t.okMessage}
		if pressure[t.kind] {
			c.Status, c.Reason, c.Message = corev1.ConditionTrue, t.badReason, t.badMessage
		}
		r.put(s, c, now)
	}
	c := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"}
	if problem != "" {
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "KubeletNotReady", problem
	}
	r.put(s, c, now)
}

func (r *Reporter) put(s *corev1.NodeStatus, c corev1.NodeCondition, now metav1.Time) {
	c.LastHeartbeatTime, c.LastTransitionTime = now, now
	for i, old := range s.Conditions {
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		s.Conditions[i] = c
		return
	}
	s.Conditions = append(s.Conditions, c)
}
