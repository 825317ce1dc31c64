package objects

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/store"
)

var errDied = errors.New("the member died before it could answer")

// dying does the next write and cannot tell.
type dying struct {
	store.Store
	dies bool
}

func (d *dying) tell(revision int64, err error) (int64, error) {
	if d.dies {
		d.dies = false
		return 0, errDied
	}
	return revision, err
}

func (d *dying) Create(ctx context.Context, put store.Put) (int64, error) {
	return d.tell(d.Store.Create(ctx, put))
}

func (d *dying) Update(ctx context.Context, put store.Put, expected int64) (int64, error) {
	return d.tell(d.Store.Update(ctx, put, expected))
}

func (d *dying) Delete(ctx context.Context, key string, expected int64) (int64, error) {
	return d.tell(d.Store.Delete(ctx, key, expected))
}

// TestAWriteThatMayHaveBeenDoneIsNotDoneAgain: whoever did it again would undo what others wrote in between. Nor is taken back what it had reserved:
// the object that may be there has it.
func TestAWriteThatMayHaveBeenDoneIsNotDoneAgain(t *testing.T) {
	r := running(t)
	ctx := t.Context()
	if _, err := r.Create(ctx, configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	cached(t, r, "a")
	member := &dying{Store: r.Store}
	r.Store = member
	k := r.Kind(configMaps)
	released := 0
	hooks := Hooks{Gate: Own, Reserve: func(_, _ kind.Object) (func(bool), error) { return func(bool) { released++ }, nil }}
	for _, row := range []struct {
		name  string
		write func(count func()) error
	}{
		{"an update", func(count func()) error {
			_, err := r.Modify(ctx, k, Change{Namespace: "d", Name: "a", Hooks: hooks, Apply: func(obj kind.Object) (kind.Object, error) {
				count()
				obj.(*corev1.ConfigMap).Data = map[string]string{"k": "ours"}
				return obj, nil
			}})
			return err
		}},
		{"a deletion", func(count func()) error {
			counted := hooks
			counted.Gate = counting{Own, count}
			_, _, err := r.Remove(ctx, k, Removal{Namespace: "d", Name: "a", Hooks: counted})
			return err
		}},
		{"a creation", func(count func()) error {
			count()
			_, err := r.Insert(ctx, k, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "b"}}, hooks)
			return err
		}},
	} {
		attempts := 0
		member.dies = true
		if err := row.write(func() { attempts++ }); !errors.Is(err, errDied) || attempts != 1 || released != 0 {
			t.Errorf("%s: %v after %d attempts; %d times something was taken back", row.name, err, attempts, released)
		}
	}
}

// counting is a gate that counts attempts.
type counting struct {
	Gate
	count func()
}

func (c counting) Admit(obj, old kind.Object) error {
	c.count()
	return c.Gate.Admit(obj, old)
}

// TestAWriteWithoutAGateIsRefused: admission that was forgotten is no write.
func TestAWriteWithoutAGateIsRefused(t *testing.T) {
	r := running(t)
	ctx, k := t.Context(), r.Kind(configMaps)
	obj := func(name string) kind.Object {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: name}}
	}
	if _, err := r.Create(ctx, configMaps, obj("a")); err != nil {
		t.Fatal(err)
	}
	_, inserted := r.Insert(ctx, k, obj("b"), Hooks{})
	_, modified := r.Modify(ctx, k, Change{Namespace: "d", Name: "a", Apply: func(o kind.Object) (kind.Object, error) { return o, nil }})
	_, _, removed := r.Remove(ctx, k, Removal{Namespace: "d", Name: "a"})
	for what, err := range map[string]error{"insert": inserted, "modify": modified, "remove": removed} {
		if !errors.Is(err, errNoGate) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := r.live(ctx, k, "d", "a"); err != nil {
		t.Errorf("the object: %v", err)
	}
}
