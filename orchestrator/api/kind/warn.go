package kind

import "context"

// WarnOnChange warns of new objects, and of those whose generation a write moves on: who changes a label is not told again.
func WarnOnChange[T interface {
	Object
	comparable
}](warn func(T) []string) func(ctx context.Context, obj, old T) []string {
	return func(_ context.Context, obj, old T) []string {
		var none T
		if old != none && obj.GetGeneration() == old.GetGeneration() {
			return nil
		}
		return warn(obj)
	}
}
