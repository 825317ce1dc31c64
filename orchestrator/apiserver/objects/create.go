package objects

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// Hooks are what a caller adds to a write: admission, which none may lack, allocation, dry run. Any other hook that is nil does nothing.
type Hooks struct {
	Gate Gate
	// Track notes in obj's managedFields what the write sets. It sees the defaulted object before admission does; old is nil on create.
	Track func(obj, old kind.Object)
	// Reserve takes what the object needs exclusively; release is called with the outcome of the write, unless nobody knows it.
	Reserve func(obj, old kind.Object) (release func(written bool), err error)
	// Warn gets warnings for the client.
	Warn   func(text string)
	DryRun bool
}

// Create implements Writer.
func (r *Registry) Create(ctx context.Context, gr schema.GroupResource, obj kind.Object) (kind.Object, error) {
	k, err := r.known(gr)
	if err != nil {
		return nil, err
	}
	return r.Insert(ctx, k, obj, Hooks{Gate: Own, Track: r.track(k, "")})
}

// generateAttempts is how often a generated name that is taken is drawn anew.
const generateAttempts = 8

// Insert is the whole way of a new object into the store. It may alter obj.
func (r *Registry) Insert(ctx context.Context, k *kind.Kind, obj kind.Object, h Hooks) (kind.Object, error) {
	if h.Gate == nil {
		return nil, errNoGate
	}
	base := obj.GetGenerateName()
	generated := obj.GetName() == "" && base != ""
	for attempt := 1; ; attempt++ {
		tried := obj
		if generated {
			tried = obj.DeepCopyObject().(kind.Object)
			tried.SetName(generateName(base))
		}
		created, err := r.insert(ctx, k, tried, h)
		if !generated || attempt == generateAttempts || !apierrors.IsAlreadyExists(err) {
			return created, err
		}
	}
}

// maxGenerated is the longest base of a generated name: 63 less the five random characters.
const (
	randomLength = 5
	maxGenerated = 63 - randomLength
)

func generateName(base string) string {
	if len(base) > maxGenerated {
		base = base[:maxGenerated]
	}
	return base + rand.String(randomLength)
}

func (r *Registry) insert(ctx context.Context, k *kind.Kind, obj kind.Object, h Hooks) (kind.Object, error) {
	r.stamp(k, obj)
	normalise(k, obj)
	if k.Default != nil {
		k.Default(obj)
	}
	if h.Track != nil {
		h.Track(obj, nil)
	}
	if err := h.Gate.Admit(obj, nil); err != nil {
		return nil, err
	}
	if k.PrepareCreate != nil {
		k.PrepareCreate(ctx, obj)
	}
	if k.Generation != nil {
		obj.SetGeneration(1)
	}
	if errs := validateNew(ctx, k, obj); len(errs) > 0 {
		return nil, invalid(k, obj, errs)
	}
	if err := h.Gate.Validate(obj, nil); err != nil {
		return nil, err
	}
	warn(ctx, k.Warnings, h, obj, nil)
	return r.commitNew(ctx, k, obj, h)
}

// stamp sets what only the server may set.
func (r *Registry) stamp(k *kind.Kind, obj kind.Object) {
	obj.SetUID(uuid.NewUUID())
	obj.SetCreationTimestamp(metav1.Time{Time: r.Now().UTC().Truncate(1e9)})
	obj.SetDeletionTimestamp(nil)
	obj.SetDeletionGracePeriodSeconds(nil)
	obj.SetSelfLink("")
	obj.SetResourceVersion("")
	obj.SetGeneration(0)
}

func validateNew(ctx context.Context, k *kind.Kind, obj kind.Object) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaAccessor(obj, k.Namespaced, nameRule(k), field.NewPath("metadata"))
	errs = append(errs, finalizerFaults(obj)...)
	if k.ValidateCreate != nil {
		errs = append(errs, k.ValidateCreate(ctx, obj)...)
	}
	return errs
}

func nameRule(k *kind.Kind) apivalidation.ValidateNameFunc {
	if k.ValidName != nil {
		return k.ValidName
	}
	return apivalidation.NameIsDNSSubdomain
}

func warn(ctx context.Context, warnings func(context.Context, kind.Object, kind.Object) []string, h Hooks, obj, old kind.Object) {
	if warnings == nil || h.Warn == nil {
		return
	}
	for _, text := range warnings(ctx, obj, old) {
		h.Warn(text)
	}
}

func (r *Registry) commitNew(ctx context.Context, k *kind.Kind, obj kind.Object, h Hooks) (kind.Object, error) {
	release, err := reserve(h, obj, nil)
	if err != nil {
		return nil, err
	}
	created, err := r.add(ctx, k, obj, h)
	settle(h, release, err)
	return created, err
}

// add writes the object where there is none.
func (r *Registry) add(ctx context.Context, k *kind.Kind, obj kind.Object, h Hooks) (kind.Object, error) {
	if !validKeyPart(obj.GetName()) || strings.Contains(obj.GetNamespace(), "/") {
		return nil, apierrors.NewBadRequest("the name of the object must not contain a slash")
	}
	key := Key(k, obj.GetNamespace(), obj.GetName())
	if h.DryRun {
		if present, err := r.Store.Get(ctx, key); err == nil {
			return nil, exists(k, obj.GetName(), present)
		}
		return obj, nil
	}
	data, err := Encode(k, obj)
	if err != nil {
		return nil, err
	}
	created, err := r.write(k, key, data, func() (int64, error) {
		return r.Store.Create(ctx, store.Put{Key: key, Value: data, TTL: k.Storage.TTL})
	})
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		return nil, exists(k, obj.GetName(), conflict.Current)
	}
	return created, err
}

// exists is the refusal of a name that is taken: it says if that is to change.
func exists(k *kind.Kind, name string, present store.Entry) error {
	err := apierrors.NewAlreadyExists(k.GroupResource(), name)
	if o, wrong := originalOf(k, present); wrong == nil && o.GetDeletionTimestamp() != nil {
		err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
	}
	return err
}

// write stores what was encoded, and returns it as it reads now: shared with the cache, not to be altered.
func (r *Registry) write(k *kind.Kind, key string, data []byte, commit func() (int64, error)) (kind.Object, error) {
	obj, err := decode(k, data)
	if err != nil {
		return nil, err
	}
	r.written.announce(key, data, obj)
	revision, err := commit()
	if err != nil {
		r.written.withdraw(key, data)
		return nil, outcome(err)
	}
	return at(obj, revision), nil
}

func reserve(h Hooks, obj, old kind.Object) (func(bool), error) {
	if h.Reserve == nil {
		return func(bool) {}, nil
	}
	return h.Reserve(obj, old)
}
