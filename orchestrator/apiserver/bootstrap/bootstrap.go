// Package bootstrap owns what a cluster has before anyone asked: namespaces, roles, priority classes, the kubernetes Service.
//
// The apiserver runs it once its store answers: Seed writes what is missing in a few transactions, Endpoints keeps this apiserver among the
// addresses of the kubernetes Service. What an administrator changed is left alone. The roles stand as data in roles/.
package bootstrap

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Object is one object to be created, with its resource.
type Object struct {
	Resource schema.GroupResource
	Object   kind.Object
}

// Seed creates those of the objects that do not exist, in as few transactions as the store can. Kinds that the catalogue lacks are skipped.
func Seed(ctx context.Context, registry *objects.Registry, seeds []Object) (int, error) {
	var puts []store.Put
	now := metav1.Time{Time: registry.Now().UTC().Truncate(time.Second)}
	for _, s := range seeds {
		k := registry.Kind(s.Resource)
		if k == nil {
			continue
		}
		obj := s.Object
		obj.SetUID(uuid.NewUUID())
		obj.SetCreationTimestamp(now)
		if k.Default != nil {
			k.Default(obj)
		}
		if registry.Track != nil {
			registry.Track(k, "", obj, nil)
		}
		if k.Generation != nil {
			obj.SetGeneration(1)
		}
		data, err := objects.Encode(k, obj)
		if err != nil {
			return 0, err
		}
		puts = append(puts, store.Put{Key: objects.Key(k, obj.GetNamespace(), obj.GetName()), Value: data})
	}
	created, err := registry.Store.CreateMissing(ctx, puts)
	if err != nil {
		return created, fmt.Errorf("write the first objects: %w", err)
	}
	return created, nil
}
