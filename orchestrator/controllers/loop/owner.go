package loop

import meta "k8s.io/apimachinery/pkg/apis/meta/v1"

// Owners asks for a sync of the objects of that kind that control a changed object, before the change and after it. One without a controller is
// shown to orphan (nil: nobody adopts): who may adopt it is not for the loop to know.
func Owners[T any, P interface {
	*T
	meta.Object
}](l *Loop, kind string, old, new P, orphan func(P)) {
	for _, o := range []P{old, new} {
		if o == nil {
			continue
		}
		switch ref := meta.GetControllerOfNoCopy(o); {
		case ref == nil && orphan != nil:
			orphan(o)
		case ref != nil && ref.Kind == kind:
			l.Add(o.GetNamespace() + "/" + ref.Name)
		}
	}
}
