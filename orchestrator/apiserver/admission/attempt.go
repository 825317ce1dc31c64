package admission

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// Judge decides about writes: the chain of plugins, or a guard around it.
type Judge interface {
	// Admit may alter the object of the attributes, Validate may only refuse.
	Admit(ctx context.Context, a *Attributes) error
	Validate(ctx context.Context, a *Attributes) error
}

// Attempt is one request under admission: its judge, and what all the objects that it touches have in common.
type Attempt struct {
	Judge Judge
	Attributes
	// View shows a stored object as the request speaks of it, and Alter writes back what the judge made of that view: a Scale is a view of its
	// parent. Both are nil where the request speaks of the object itself.
	View  func(kind.Object) runtime.Object
	Alter func(obj kind.Object, view runtime.Object)
}

// Gate is the attempt's way into the store. Each object of a request passes it.
func (t Attempt) Gate(ctx context.Context) objects.Gate { return gate{ctx, t} }

// Pass asks about a request that stores nothing as its body says it: a connection, whose body is its options, or a body that other writes follow from.
// check, which may be nil, refuses what admission made of the body before anybody validates it.
func (t Attempt) Pass(ctx context.Context, body runtime.Object, check func() error) error {
	a := t.Attributes
	a.Object = body
	if err := t.Judge.Admit(ctx, &a); err != nil {
		return err
	}
	if check != nil {
		if err := check(); err != nil {
			return err
		}
	}
	return t.Judge.Validate(ctx, &a)
}

type gate struct {
	ctx     context.Context
	attempt Attempt
}

func (g gate) Admit(obj, old kind.Object) error {
	a := g.of(obj, old)
	if err := g.attempt.Judge.Admit(g.ctx, a); err != nil {
		return err
	}
	if g.attempt.Alter != nil && obj != nil {
		g.attempt.Alter(obj, a.Object)
	}
	return nil
}

func (g gate) Validate(obj, old kind.Object) error {
	return g.attempt.Judge.Validate(g.ctx, g.of(obj, old))
}

func (g gate) of(obj, old kind.Object) *Attributes {
	a := g.attempt.Attributes
	if obj != nil {
		a.Object, a.Name = g.view(obj), obj.GetName()
	}
	if old != nil {
		a.Old = g.view(old)
	}
	return &a
}

func (g gate) view(obj kind.Object) runtime.Object {
	if g.attempt.View == nil {
		return obj
	}
	return g.attempt.View(obj)
}
