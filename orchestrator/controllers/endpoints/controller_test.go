package endpoints

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// Endpoints that somebody wrote go with their Service, and stay as long as nobody has deleted one.
func TestEndpointsFollowTheirService(t *testing.T) {
	of := func(name string) meta.ObjectMeta {
		return meta.ObjectMeta{Namespace: "n", Name: name, UID: types.UID(name)}
	}
	lock := of("lock")
	lock.Annotations = map[string]string{electionRecord: "{}"}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := fake.NewClientset(
			&core.Endpoints{ObjectMeta: of("left")}, &core.Endpoints{ObjectMeta: lock},
			&core.Service{ObjectMeta: of("served")}, &core.Endpoints{ObjectMeta: of("served")},
		)
		factory := informers.NewSharedInformerFactory(client, 0)
		w := &world.World{Client: client, Informers: factory, Logger: slog.New(slog.DiscardHandler)}
		factory.Core().V1().Services().Informer()
		factory.Core().V1().Endpoints().Informer()
		factory.Core().V1().Pods().Informer()
		factory.Start(ctx.Done())
		defer factory.Shutdown()
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- Run(ctx, w) }()
		there := func(name string) bool {
			synctest.Wait()
			_, err := client.CoreV1().Endpoints("n").Get(ctx, name, meta.GetOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
			return err == nil
		}
		write := func(name string) {
			if _, err := client.CoreV1().Endpoints("n").Create(ctx, &core.Endpoints{ObjectMeta: of(name)}, meta.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if there("left") {
			t.Error("Endpoints whose Service went while nobody looked are still there")
		}
		if !there("lock") || !there("served") {
			t.Error("a lock, or Endpoints of a living Service, were deleted")
		}
		write("early")
		if !there("early") {
			t.Error("Endpoints that are written before their Service were deleted")
		}
		if err := client.CoreV1().Services("n").Delete(ctx, "served", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if there("served") {
			t.Error("the Endpoints of a deleted Service are still there")
		}
		write("served")
		if !there("served") {
			t.Error("Endpoints written after their Service was deleted were deleted too")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
