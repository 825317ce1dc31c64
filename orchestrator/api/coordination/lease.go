package coordination

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Lease is the catalogue entry of leases.
func Lease() kind.Kind {
	return kind.Kind{
		Names:      kind.Names{Group: coordinationv1.GroupName, Kind: "Lease", Resource: "leases", Singular: "lease"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &coordinationv1.Lease{}, &coordinationv1.LeaseList{})},
		Storage:    kind.Stored("leases", coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{}),
		Columns:    kind.Table("Name;Holder;Age", map[string]string{"Holder": coordinationv1.LeaseSpec{}.SwaggerDoc()["holderIdentity"]}),
		Cells: kind.Cells(func(l *coordinationv1.Lease, now time.Time) []any {
			holder := ""
			if l.Spec.HolderIdentity != nil {
				holder = *l.Spec.HolderIdentity
			}
			return []any{l.Name, holder, kind.Age(l, now)}
		}),
		Rules: kind.Typed[*coordinationv1.Lease]{
			ValidateCreate: func(_ context.Context, l *coordinationv1.Lease) field.ErrorList { return validate(l) },
			ValidateUpdate: func(_ context.Context, l, _ *coordinationv1.Lease) field.ErrorList { return validate(l) },
			CreateOnUpdate: true,
		}.Rules(),
	}
}

func validate(l *coordinationv1.Lease) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec")
	if s := l.Spec.LeaseDurationSeconds; s != nil && *s <= 0 {
		errs = append(errs, field.Invalid(path.Child("leaseDurationSeconds"), *s, "must be greater than 0"))
	}
	if n := l.Spec.LeaseTransitions; n != nil && *n < 0 {
		errs = append(errs, field.Invalid(path.Child("leaseTransitions"), *n, "must be greater than or equal to 0"))
	}
	return errs
}
