// Package workers makes each pod of this node be what its spec says: one goroutine per pod, which observes, decides (plan.go, pure) and acts.
//
// A worker owns its pod: nobody else starts or stops its containers, writes its status or touches its folders. Packages source and static feed it
// the desired pods; runtime events, probes, changed objects and timers wake it; eviction asks it to end a pod. It feeds the runtime and the API. A
// worker that is busy with a pod that should no longer run is interrupted.
package workers

import (
	"context"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/backoff"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/netfiles"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/objects"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/static"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/volumes"
)

// Node is what every worker shares.
type Node struct {
	Name    string
	HostIPs []string
	// Memory of the node in bytes, for OOM scores.
	Memory      int64
	Allocatable func() corev1.ResourceList

	Client   corev1client.CoreV1Interface
	Runtime  *runtime.Client
	Images   *images.Puller
	Volumes  *volumes.Manager
	Objects  *objects.Cache
	Tokens   *objects.Tokens
	Probes   *probes.Manager
	Cgroups  *cgroups.Tree
	Resolver netfiles.Resolver
	Status   status.Publisher
	Recorder record.EventRecorder
	Mirrors  *static.Mirrors
	Services func(namespace string) []*corev1.Service
	// ServicesSynced waits until Services is complete: a container must not miss the ones made before it.
	ServicesSynced func(ctx context.Context) error
	// Admit refuses a pod that this node cannot run, nil lets it in.
	Admit func(pod *corev1.Pod) *status.Verdict
	// Resize says why a pod's new resources cannot be allocated now (Deferred) or ever (Infeasible), nil when they can.
	Resize func(pod *corev1.Pod) *status.Verdict
	// Handler is the CRI runtime handler of a RuntimeClass.
	Handler func(ctx context.Context, class string) (string, error)

	LogRoot        string
	SeccompRoot    string
	SeccompDefault bool
	CFSQuota       bool
	PodPids        int64
	Logger         *slog.Logger
	Resync         time.Duration

	crashes *backoff.Table
	// predecessor is true while a static pod of that name, made from what the file was before, has not ended.
	predecessor func(pod *corev1.Pod) bool
}

// First and longest wait of CrashLoopBackOff.
const (
	crashFirst = 10 * time.Second
	crashMax   = 5 * time.Minute
)

// place of a pod for the downward API.
func (n *Node) place(pod *corev1.Pod, observed *runtime.Pod) podinfo.Place {
	p := podinfo.Place{NodeName: n.Name, HostIPs: n.HostIPs, Allocatable: n.Allocatable()}
	if pod.Spec.HostNetwork {
		p.PodIPs = n.HostIPs
	} else if s := observed.Sandbox(); s != nil {
		p.PodIPs = s.IPs
	}
	return p
}

// event about one container of a pod.
func (n *Node) event(pod *corev1.Pod, m podinfo.Member, kind, reason, message string) {
	n.Recorder.Event(&corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion, FieldPath: podinfo.FieldPath(m),
	}, kind, reason, message)
}

// podEvent about a whole pod.
func (n *Node) podEvent(pod *corev1.Pod, kind, reason, message string) {
	n.Recorder.Event(&corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
	}, kind, reason, message)
}

func crashKey(uid types.UID, container string) string { return string(uid) + "/" + container }
