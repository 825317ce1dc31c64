package kubelet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	nodev1client "k8s.io/client-go/kubernetes/typed/node/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/admission"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/allocation"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/eviction"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/netfiles"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/node"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/objects"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/static"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/status"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/volumes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/workers"
)

// joiner connects the parts that need each other.
type joiner struct {
	Config
	*parts
	core     *corev1client.CoreV1Client
	machine  *node.Machine
	reserved node.Reserved
	tree     *cgroups.Tree
	able     admission.Node
}

func (j *joiner) joinWorkers(ctx context.Context) {
	s := j.Settings
	parallel := 0
	if *s.SerializeImagePulls {
		parallel = 1
	} else if s.MaxParallelImagePulls != nil {
		parallel = int(*s.MaxParallelImagePulls)
	}
	n := &workers.Node{
		Name: j.NodeName, HostIPs: j.HostIPs, Memory: j.machine.Memory, Client: j.core, Runtime: j.runtime,
		Allocatable:    func() corev1.ResourceList { return j.machine.Allocatable(j.reserved) },
		Images:         j.puller(parallel),
		Tokens:         &objects.Tokens{Client: j.core, Now: time.Now},
		Cgroups:        j.tree,
		Resolver:       netfiles.Resolver{Servers: s.ClusterDNS, Domain: s.ClusterDomain, File: *s.ResolverConfig},
		Status:         status.Publisher{Client: j.core},
		Recorder:       j.recorder.events,
		Services:       j.servicesOf,
		ServicesSynced: j.servicesSynced,
		Handler:        j.handler,
		LogRoot:        s.PodLogsDir,
		SeccompRoot:    filepath.Join(j.Root, "seccomp"),
		SeccompDefault: s.SeccompDefault != nil && *s.SeccompDefault,
		CFSQuota:       *s.CPUCFSQuota,
		Logger:         j.Logger,
		Resync:         s.SyncFrequency.Duration,
	}
	if s.PodPidsLimit != nil {
		n.PodPids = *s.PodPidsLimit
	}
	j.workers = workers.New(n, j.synced)
	n.Mirrors = j.joinStatic()
	n.Admit, n.Resize = j.admit, j.resize
	n.Objects = objects.New(ctx, j.core, func(uids []string) {
		for _, uid := range uids {
			j.workers.Wake(uid)
		}
	}, j.Logger)
	n.Volumes = &volumes.Manager{Root: j.Root, Place: j.place, Sources: volumes.Sources{
		ConfigMap: n.Objects.ConfigMap, Secret: n.Objects.Secret, Token: n.Tokens.Get, Claim: j.claim,
	}}
	j.prober = probes.New(probes.Config{
		Exec: workers.Exec(j.runtime), Look: j.workers.Look, Wake: func(uid types.UID) { j.workers.Wake(string(uid)) },
		Event: func(pod *corev1.Pod, m podinfo.Member, kind, reason, message string) {
			j.recorder.events.Event(&corev1.ObjectReference{
				APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion, FieldPath: podinfo.FieldPath(m),
			}, kind, reason, message)
		},
	})
	n.Probes = j.prober
}

// puller of images, bounded as the configuration says.
func (j *joiner) puller(parallel int) *images.Puller {
	p := images.New(j.runtime, parallel)
	if qps := j.Settings.RegistryPullQPS; qps != nil && *qps > 0 {
		p.Rate = flowcontrol.NewTokenBucketPassiveRateLimiter(float32(*qps), orDefault(j.Settings.RegistryBurst, registryBurst))
	}
	return p
}

// synced is true once every source has shown its pods.
func (j *joiner) synced() bool {
	return j.pods != nil && j.pods.HasSynced() && (j.folder == nil || j.folder.Read())
}

// joinStatic connects the folder of static pods, if there is one, and returns what shows them in the API.
func (j *joiner) joinStatic() *static.Mirrors {
	j.mirrors = &static.Mirrors{Client: j.core, Owner: j.self, Wake: func(uid string) {
		if uid != "" { // an empty one would mean every pod
			j.workers.Wake(uid)
		}
	}}
	if path := j.Settings.StaticPodPath; path != "" {
		j.folder = &static.Folder{Path: path, Node: j.NodeName, Sink: j.workers, Logger: j.Logger, Every: j.Settings.FileCheckFrequency.Duration}
	}
	return j.mirrors
}

// self is this node's object, nil while it is not known.
func (j *joiner) self() *corev1.Node {
	object, ok, err := j.node.GetStore().GetByKey(j.NodeName)
	if err != nil || !ok {
		return nil
	}
	return object.(*corev1.Node)
}

func (j *joiner) place(pod *corev1.Pod) podinfo.Place {
	p := podinfo.Place{NodeName: j.NodeName, HostIPs: j.HostIPs, Allocatable: j.machine.Allocatable(j.reserved)}
	if pod.Spec.HostNetwork {
		p.PodIPs = j.HostIPs
	} else if s := j.workers.Observed(pod.UID).Sandbox(); s != nil {
		p.PodIPs = s.IPs
	}
	return p
}

func (j *joiner) admit(pod *corev1.Pod) *status.Verdict {
	if v := eviction.Admit(pod, j.evictions.Pressure()); v != nil {
		return v
	}
	if v := j.able.Check(pod); v != nil {
		return v
	}
	self := j.self()
	allocatable := j.machine.Allocatable(j.reserved)
	if self != nil && len(self.Status.Allocatable) > 0 {
		allocatable = self.Status.Allocatable // with the extended resources that others advertised
	}
	return allocation.Admit(pod, self, allocatable, j.workers.Admitted(pod.UID))
}

func (j *joiner) resize(pod *corev1.Pod) *status.Verdict {
	return allocation.Resize(pod, j.machine.Allocatable(j.reserved), j.workers.Admitted(pod.UID))
}

func (j *joiner) servicesOf(namespace string) []*corev1.Service {
	objects, err := j.services.GetIndexer().ByIndex(cache.NamespaceIndex, namespace)
	if err != nil {
		return nil // the index exists
	}
	all := make([]*corev1.Service, 0, len(objects))
	for _, o := range objects {
		all = append(all, o.(*corev1.Service))
	}
	return all
}

func (j *joiner) servicesSynced(ctx context.Context) error {
	if j.services.HasSynced() {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !cache.WaitForCacheSync(limited.Done(), j.services.HasSynced) {
		return errors.New("services have not yet been read at least once, cannot construct envvars")
	}
	return nil
}

func (j *joiner) handler(ctx context.Context, class string) (string, error) {
	client, err := nodev1client.NewForConfig(j.API)
	if err != nil {
		return "", err
	}
	found, err := client.RuntimeClasses().Get(ctx, class, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("failed to get RuntimeClass %q: %w", class, err)
	}
	return found.Handler, nil
}

// claim resolves a PersistentVolumeClaim to its volume.
func (j *joiner) claim(ctx context.Context, namespace, name string) (*corev1.PersistentVolume, error) {
	claim, err := j.core.PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("failed to fetch PVC from API server: %w", err)
	}
	if claim.Status.Phase != corev1.ClaimBound || claim.Spec.VolumeName == "" {
		return nil, fmt.Errorf("PVC %s/%s is not bound", namespace, name)
	}
	return j.core.PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
}
