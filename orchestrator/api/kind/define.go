package kind

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Typed is Rules written with the kind's own Go type, so that a kind's file holds no type assertions.
type Typed[T Object] struct {
	Normalise           func(obj T)
	Default             func(obj T)
	PrepareCreate       func(ctx context.Context, obj T)
	ValidateCreate      func(ctx context.Context, obj T) field.ErrorList
	PrepareUpdate       func(ctx context.Context, obj, old T)
	ValidateUpdate      func(ctx context.Context, obj, old T) field.ErrorList
	Warnings            func(ctx context.Context, obj, old T) []string
	ValidName           func(name string, prefix bool) []string
	Generation          func(obj, old T) bool
	CreateOnUpdate      bool
	UnconditionalUpdate bool
	Resets              []string
}

// Rules erases the type.
func (t Typed[T]) Rules() Rules {
	return Rules{
		Normalise:      one(t.Normalise),
		Default:        one(t.Default),
		PrepareCreate:  prepareOne(t.PrepareCreate),
		ValidateCreate: validateOne(t.ValidateCreate),
		PrepareUpdate:  prepareTwo(t.PrepareUpdate),
		ValidateUpdate: validateTwo(t.ValidateUpdate),
		Warnings:       warnings(t.Warnings),
		ValidName:      t.ValidName,
		Generation:     differs(t.Generation),

		CreateOnUpdate:      t.CreateOnUpdate,
		UnconditionalUpdate: t.UnconditionalUpdate,
		Resets:              t.Resets,
	}
}

// Cells erases the type of a row function.
func Cells[T Object](f func(obj T, now time.Time) []any) func(Object, time.Time) []any {
	return func(obj Object, now time.Time) []any { return f(obj.(T), now) }
}

// Fields erases the type of a field extractor.
func Fields[T Object](f func(obj T) fields.Set) func(Object) fields.Set {
	return func(obj Object) fields.Set { return f(obj.(T)) }
}

func one[T Object](f func(T)) func(Object) {
	if f == nil {
		return nil
	}
	return func(obj Object) { f(obj.(T)) }
}

func prepareOne[T Object](f func(context.Context, T)) func(context.Context, Object) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, obj Object) { f(ctx, obj.(T)) }
}

func validateOne[T Object](f func(context.Context, T) field.ErrorList) func(context.Context, Object) field.ErrorList {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, obj Object) field.ErrorList { return f(ctx, obj.(T)) }
}

func prepareTwo[T Object](f func(context.Context, T, T)) func(context.Context, Object, Object) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, obj, old Object) { f(ctx, obj.(T), old.(T)) }
}

func validateTwo[T Object](f func(context.Context, T, T) field.ErrorList) func(context.Context, Object, Object) field.ErrorList {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, obj, old Object) field.ErrorList { return f(ctx, obj.(T), old.(T)) }
}

// warnings passes a nil old on creation.
func warnings[T Object](f func(context.Context, T, T) []string) func(context.Context, Object, Object) []string {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, obj, old Object) []string {
		var before T
		if old != nil {
			before = old.(T)
		}
		return f(ctx, obj.(T), before)
	}
}

func differs[T Object](f func(T, T) bool) func(Object, Object) bool {
	if f == nil {
		return nil
	}
	return func(obj, old Object) bool { return f(obj.(T), old.(T)) }
}
