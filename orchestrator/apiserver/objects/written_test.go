package objects

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

var configMaps = schema.GroupResource{Resource: "configmaps"}

// running is a registry of the catalogue in memory.
func running(t *testing.T) *Registry {
	t.Helper()
	var kinds []*kind.Kind
	all := api.All()
	for i := range all {
		kinds = append(kinds, &all[i])
	}
	r := New(kinds, memory.New(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = r.Cache.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	if err := r.Cache.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

// cached is what the cache has of a ConfigMap, as new as the call.
func cached(t *testing.T, r *Registry, name string) *corev1.ConfigMap {
	t.Helper()
	if err := r.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	obj, err := r.Get(t.Context(), configMaps, "d", name)
	if err != nil {
		t.Fatal(err)
	}
	return obj.(*corev1.ConfigMap)
}

// mapOf tells maps apart.
func mapOf(obj kind.Object) uintptr { return reflect.ValueOf(obj.(*corev1.ConfigMap).Data).Pointer() }

func TestTheCacheTakesWhatAWriterDecoded(t *testing.T) {
	r := running(t)
	ctx := t.Context()
	created, err := r.Create(ctx, configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "a"}, Data: map[string]string{"k": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	first := cached(t, r, "a")
	if first.ResourceVersion != created.GetResourceVersion() || mapOf(first) != mapOf(created) {
		t.Errorf("%v was created, %v is cached", created, first)
	}
	set := func(value string) func(kind.Object) error {
		return func(obj kind.Object) error { obj.(*corev1.ConfigMap).Data["k"] = value; return nil }
	}
	updated, err := r.Update(ctx, configMaps, "d", "a", "", set("2"))
	if err != nil {
		t.Fatal(err)
	}
	second := cached(t, r, "a")
	if second.ResourceVersion != updated.GetResourceVersion() || mapOf(second) != mapOf(updated) || second.Data["k"] != "2" || first.Data["k"] != "1" {
		t.Errorf("%v was written, %v is cached, and was %v", updated, second, first)
	}
	same, err := r.Update(ctx, configMaps, "d", "a", "", set("2"))
	if err != nil || same.GetResourceVersion() != updated.GetResourceVersion() {
		t.Errorf("an update that changes nothing: %v, %v", same, err)
	}
	if _, err := r.Create(ctx, configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "a"}}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("created twice: %v", err)
	}
	if n := len(r.written.byKey); n != 0 {
		t.Errorf("%d objects still wait for the cache", n)
	}
}

func TestOnlyTheBytesThatWereAnnouncedAreTaken(t *testing.T) {
	var w written
	obj := &corev1.ConfigMap{}
	w.announce("k", []byte("a"), obj)
	if _, ok := w.take("k", []byte("b")); ok {
		t.Error("another writer's bytes were taken for ours")
	}
	if _, ok := w.take("l", []byte("a")); ok {
		t.Error("another key was taken for ours")
	}
	if got, ok := w.take("k", []byte("a")); !ok || got != kind.Object(obj) {
		t.Errorf("%v, %v", got, ok)
	}
	for i := range 2 * maxWritten {
		w.announce(string(rune(i)), nil, obj)
	}
	if len(w.byKey) > maxWritten {
		t.Errorf("%d are kept", len(w.byKey))
	}
}

// TestAFailedWriteLeavesNothing behind.
func TestAFailedWriteLeavesNothing(t *testing.T) {
	r := running(t)
	k := r.Kind(configMaps)
	data, err := Encode(k, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no quorum")
	if _, err := r.write(k, "key", data, func() (int64, error) { return 0, failure }); !errors.Is(err, failure) || len(r.written.byKey) != 0 {
		t.Errorf("%v, %d are left", err, len(r.written.byKey))
	}
}
