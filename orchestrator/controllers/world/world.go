// Package world is what a controller sees and acts through: shared informers, clients that write as the controller's own service account, and an
// event recorder.
//
// It is made once per process by package controllers and handed to each controller as a World of its own. It decides nothing.
package world

import (
	"cmp"
	"fmt"
	"log/slog"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// World of one controller.
type World struct {
	// Client, Metadata and Config act as the controller.
	Client   kubernetes.Interface
	Metadata metadata.Interface
	Config   *rest.Config
	// Discovery asks as the process does.
	Discovery discovery.DiscoveryInterface
	Informers informers.SharedInformerFactory
	Events    record.EventRecorder
	Logger    *slog.Logger
	Settings  Settings
}

// Shared is what all Worlds of a process have in common.
type Shared struct {
	config     *rest.Config
	client     kubernetes.Interface
	informers  informers.SharedInformerFactory
	settings   Settings
	logger     *slog.Logger
	separately bool

	mu       sync.Mutex
	worlds   map[string]*World
	accounts []*account
	// broadcasters send the Worlds' events until Close.
	broadcasters []record.EventBroadcaster
}

// NewShared prepares Worlds over one configuration. separately: each controller has its own service account.
func NewShared(config *rest.Config, settings Settings, separately bool, logger *slog.Logger) (*Shared, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim))
	return &Shared{config: config, client: client, informers: factory, settings: settings, logger: logger, separately: separately, worlds: map[string]*World{}}, nil
}

// Close ends the sending of events. No controller may run any more.
func (s *Shared) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.broadcasters {
		b.Shutdown()
	}
	s.worlds, s.broadcasters = nil, nil
}

// Client acts as the process itself.
func (s *Shared) Client() kubernetes.Interface { return s.client }

// Informers are the process's one set.
func (s *Shared) Informers() informers.SharedInformerFactory { return s.informers }

// For returns the World of a controller that writes as the service account of that name in kube-system. Asking twice returns the same World.
func (s *Shared) For(name string) (*World, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.worlds[name]; w != nil {
		return w, nil
	}
	config := rest.CopyConfig(s.config)
	if s.separately {
		a := &account{client: s.client, name: name}
		s.accounts = append(s.accounts, a)
		config = a.as(s.config)
	}
	config.UserAgent = s.config.UserAgent + "/" + name
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", name, err)
	}
	metaConfig := metadata.ConfigFor(config)
	metaClient, err := metadata.NewForConfig(metaConfig)
	if err != nil {
		return nil, fmt.Errorf("metadata client of %s: %w", name, err)
	}
	w := &World{
		Client: client, Metadata: metaClient, Config: config, Discovery: s.client.Discovery(), Informers: s.informers,
		Logger: s.logger.With("controller", name), Settings: s.settings, Events: s.recorder(client, source(name)),
	}
	s.worlds[name] = w
	return w, nil
}

// sources are the names in events of controllers that are not called as their account.
var sources = map[string]string{
	"daemon-set-controller":     "daemonset-controller",
	"disruption-controller":     "controllermanager",
	"endpointslice-controller":  "endpoint-slice-controller",
	"generic-garbage-collector": "garbage-collector-controller",
	"persistent-volume-binder":  "persistentvolume-controller",
}

// source is what a controller calls itself in events.
func source(account string) string { return cmp.Or(sources[account], account) }

// recorder sends events as a controller. The caller holds mu.
func (s *Shared) recorder(client kubernetes.Interface, component string) record.EventRecorder {
	broadcaster := record.NewBroadcaster()
	s.broadcasters = append(s.broadcasters, broadcaster)
	broadcaster.StartRecordingToSink(&corev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, core.EventSource{Component: component})
}

// slim drops what no controller reads and what is often the larger part of an object. What it drops must be nothing that a write of the
// whole object would take away: managedFields that are left out stay as they are; annotations would be gone.
func slim(obj any) (any, error) {
	if o, err := meta.Accessor(obj); err == nil {
		o.SetManagedFields(nil)
	}
	return obj, nil
}

// Synced is true once all of the informers have their first list.
func Synced(informers ...cache.SharedIndexInformer) bool {
	for _, i := range informers {
		if !i.HasSynced() {
			return false
		}
	}
	return true
}
