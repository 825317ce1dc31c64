package resourcequota

import (
	"context"
	"log/slog"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	discovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	metadata "k8s.io/client-go/metadata/fake"
	clients "k8s.io/client-go/testing"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// serves ConfigMaps and quotas.
type serves struct{ *discovery.FakeDiscovery }

func (serves) ServerPreferredNamespacedResources() ([]*meta.APIResourceList, error) {
	return []*meta.APIResourceList{{GroupVersion: "v1", APIResources: []meta.APIResource{{Name: "configmaps"}, {Name: "resourcequotas"}}}}, nil
}

// counted is a running controller over an API without objects, whose metadata watches show nothing by themselves.
type counted struct {
	*fake.Clientset
	late *metadata.FakeMetadataClient
}

func count(t *testing.T, objects ...runtime.Object) counted {
	t.Helper()
	scheme := metadata.NewTestScheme()
	if err := meta.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := counted{fake.NewClientset(objects...), metadata.NewSimpleMetadataClient(scheme)}
	factory := informers.NewSharedInformerFactory(c, 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	core1 := factory.Core().V1()
	core1.ResourceQuotas().Informer()
	core1.Pods().Informer()
	core1.Services().Informer()
	core1.PersistentVolumeClaims().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go func() {
		done <- Run(ctx, &world.World{
			Client: c, Metadata: c.late, Informers: factory, Discovery: serves{&discovery.FakeDiscovery{Fake: &clients.Fake{}}}, Logger: slog.New(slog.DiscardHandler),
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		factory.Shutdown()
	})
	return c
}

func quota(hard ...string) *core.ResourceQuota {
	return &core.ResourceQuota{ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "q"}, Spec: core.ResourceQuotaSpec{Hard: list(hard...)}}
}

// create a quota, and see what each of its statuses says is used of a resource.
func (c counted) create(t *testing.T, q *core.ResourceQuota, name core.ResourceName) <-chan int64 {
	t.Helper()
	w, err := c.CoreV1().ResourceQuotas("n").Watch(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	said := make(chan int64, 16)
	go func() {
		for e := range w.ResultChan() {
			if q, ok := e.Object.(*core.ResourceQuota); ok && len(q.Status.Hard) > 0 {
				used := q.Status.Used[name]
				said <- used.Value()
			}
		}
	}()
	if _, err := c.CoreV1().ResourceQuotas("n").Create(t.Context(), q, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return said
}

func await(t *testing.T, said <-chan int64, want int64) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for last := int64(-1); last != want; {
		select {
		case last = <-said:
		case <-limit:
			t.Fatalf("in use: %d, want %d", last, want)
		}
	}
}

// Each informer is as late as it likes: the one that tells of a quota shows the quota, another may not.
func TestAQuotaCountsItself(t *testing.T) {
	c := count(t)
	await(t, c.create(t, quota("resourcequotas", "5", "count/resourcequotas", "5"), "resourcequotas"), 1)
}

// What was let in before the quota had its first count was charged by nobody; its event comes after that count.
func TestWhatArrivesUnchargedIsCounted(t *testing.T) {
	t.Run("by metadata", func(t *testing.T) {
		c := count(t)
		said := c.create(t, quota("configmaps", "5"), "configmaps")
		await(t, said, 0)
		configMaps, ok := c.late.Resource(core.SchemeGroupVersion.WithResource("configmaps")).Namespace("n").(metadata.MetadataClient)
		if !ok {
			t.Fatal("not a fake client")
		}
		if _, err := configMaps.CreateFake(&meta.PartialObjectMetadata{
			TypeMeta: meta.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "c"},
		}, meta.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, said, 1)
	})
	t.Run("by content", func(t *testing.T) {
		c := count(t)
		said := c.create(t, quota("pods", "5"), "pods")
		await(t, said, 0)
		if _, err := c.CoreV1().Pods("n").Create(t.Context(), &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "n", Name: "p"}}, meta.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, said, 1)
	})
}

// Admission may have charged for objects that the informers do not show yet.
func TestAnArrivalTakesNoChargeBack(t *testing.T) {
	used := raised(list("pods", "3", "configmaps", "1", "secrets", "9"), list("pods", "2", "configmaps", "2", "services", "1"))
	want := list("pods", "3", "configmaps", "2", "services", "1")
	if len(used) != len(want) {
		t.Errorf("in use: %v, want %v", used, want)
	}
	for name, quantity := range want {
		if got := used[name]; got.Cmp(quantity) != 0 {
			t.Errorf("%s in use: %s, want %s", name, got.String(), quantity.String())
		}
	}
}
