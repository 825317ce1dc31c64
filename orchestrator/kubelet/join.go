package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	nodev1client "k8s.io/client-go/kubernetes/typed/node/v1"
	"k8s.io/client-go/tools/cache"
	kubeletv1beta1 "k8s.io/kubelet/config/v1beta1"

	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/allocation"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/cgroups"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/eviction"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/images"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/netfiles"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/node"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/objects"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/server"
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
		Images:         images.New(j.runtime, parallel),
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

// healthy is nil while the runtime answers.
func (j *joiner) healthy(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := j.runtime.Version(limited, ""); err != nil {
		return fmt.Errorf("the container runtime does not answer: %w", err)
	}
	return nil
}

func (j *joiner) joinServers() error {
	if *j.Settings.HealthzPort > 0 {
		j.servers = append(j.servers, j.local())
	}
	if !*j.Settings.EnableServer {
		return nil
	}
	access, err := j.auth()
	if err != nil {
		return err
	}
	certificate, err := j.certificate()
	if err != nil {
		return err
	}
	certificate.ClientAuth = tls.RequestClientCert // verified by the handler: a bad one may still come with a good token
	more := j.measures.Handlers()
	more["GET /metrics/probes"] = j.prober.Metrics()
	handler := server.Handler(server.Config{
		More: more,
		Auth: access, Runtime: j.runtime, Pods: j.workers, Configz: j.Settings, Health: j.healthy, LogDir: "/var/log", Logger: j.Logger,
		Offers: j.offers(), Verbosity: j.Verbosity,
	})
	address := net.JoinHostPort(j.Settings.Address, strconv.Itoa(int(j.Settings.Port)))
	j.servers = append(j.servers, func(ctx context.Context) error { return serve(ctx, address, certificate, handler) })
	return nil
}

// offers are the parts of the server that are switched on.
func (j *joiner) offers() server.Offers {
	s := j.Settings
	return server.Offers{
		Debugging: *s.EnableDebuggingHandlers, SystemLogs: *s.EnableSystemLogHandler, Profiling: *s.EnableProfilingHandler, Flags: *s.EnableDebugFlagsHandler,
	}
}

// serve has no time limits on answers: a followed log or a stream lasts as long as people want.
func serve(ctx context.Context, address string, certificate *tls.Config, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &http.Server{Handler: handler, TLSConfig: certificate, ReadHeaderTimeout: 30 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}} // upgrades need HTTP/1.1
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", address, err)
	}
	return nil
}

func (j *joiner) auth() (server.AuthConfig, error) {
	s := j.Settings
	a := server.AuthConfig{
		NodeName: j.NodeName, Anonymous: *s.Authentication.Anonymous.Enabled, TokenTTL: s.Authentication.Webhook.CacheTTL.Duration,
		AllowTTL: s.Authorization.Webhook.CacheAuthorizedTTL.Duration, DenyTTL: s.Authorization.Webhook.CacheUnauthorizedTTL.Duration,
	}
	if file := s.Authentication.X509.ClientCAFile; file != "" {
		pool, err := server.ReadCA(file)
		if err != nil {
			return a, fmt.Errorf("authentication.x509.clientCAFile: %w", err)
		}
		a.ClientCA = pool
	}
	if *s.Authentication.Webhook.Enabled {
		client, err := authenticationv1client.NewForConfig(j.API)
		if err != nil {
			return a, err
		}
		a.Reviews = client.TokenReviews()
	}
	if s.Authorization.Mode == kubeletv1beta1.KubeletAuthorizationModeWebhook {
		client, err := authorizationv1client.NewForConfig(j.API)
		if err != nil {
			return a, err
		}
		a.Access = client.SubjectAccessReviews()
	}
	return a, nil
}

// certificate is the configured one, else the one in the certificate folder, else a self-signed one.
func (j *joiner) certificate() (*tls.Config, error) {
	cert, key := j.Settings.TLSCertFile, j.Settings.TLSPrivateKeyFile
	if cert == "" && key == "" {
		inFolder := filepath.Join(j.CertDir, "kubelet.crt")
		if _, err := os.Stat(inFolder); err == nil {
			cert, key = inFolder, filepath.Join(j.CertDir, "kubelet.key")
		}
	}
	return serving.Certificate(cert, key, append(j.HostIPs, j.NodeName)...)
}
