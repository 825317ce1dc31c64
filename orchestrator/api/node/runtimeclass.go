package node

import (
	"context"
	"maps"
	"slices"
	"time"

	nodev1 "k8s.io/api/node/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/podspec"
)

// RuntimeClass is the catalogue entry of runtimeclasses.
func RuntimeClass() kind.Kind {
	return kind.Kind{
		Names:    kind.Names{Group: nodev1.GroupName, Kind: "RuntimeClass", Resource: "runtimeclasses", Singular: "runtimeclass"},
		Versions: []kind.Version{kind.Served("v1", &nodev1.RuntimeClass{}, &nodev1.RuntimeClassList{})},
		Storage:  kind.Stored("runtimeclasses", nodev1.SchemeGroupVersion, &nodev1.RuntimeClass{}),
		Columns:  kind.Table("Name;Handler;Age", map[string]string{"Handler": nodev1.RuntimeClass{}.SwaggerDoc()["handler"]}),
		Cells: kind.Cells(func(r *nodev1.RuntimeClass, now time.Time) []any {
			return []any{r.Name, r.Handler, kind.Age(r, now)}
		}),
		Rules: kind.Typed[*nodev1.RuntimeClass]{
			ValidateCreate: func(_ context.Context, r *nodev1.RuntimeClass) field.ErrorList {
				if r.Handler == "" {
					return field.ErrorList{field.Required(field.NewPath("handler"), "")}
				}
				var errs field.ErrorList
				for _, msg := range validation.IsDNS1123Label(r.Handler) {
					errs = append(errs, field.Invalid(field.NewPath("handler"), r.Handler, msg))
				}
				return append(errs, validatePlacement(r)...)
			},
			ValidateUpdate: func(_ context.Context, r, old *nodev1.RuntimeClass) field.ErrorList {
				if r.Handler == old.Handler {
					return nil
				}
				return field.ErrorList{field.Invalid(field.NewPath("handler"), nil, "field is immutable")}
			},
			Warnings: classWarnings,
		}.Rules(),
	}
}

func validatePlacement(r *nodev1.RuntimeClass) field.ErrorList {
	var errs field.ErrorList
	if r.Overhead != nil {
		for name, amount := range r.Overhead.PodFixed {
			if amount.Sign() < 0 {
				errs = append(errs, field.Invalid(field.NewPath("overhead", "limits").Key(string(name)), amount.String(), "must be greater than or equal to 0"))
			}
		}
	}
	if r.Scheduling != nil {
		errs = append(errs, metavalidation.ValidateLabels(r.Scheduling.NodeSelector, field.NewPath("scheduling", "nodeSelector"))...)
		errs = append(errs, podspec.ValidateTolerations(r.Scheduling.Tolerations, field.NewPath("scheduling", "tolerations"))...)
	}
	return errs
}

// classWarnings are about labels of nodes that have another name now.
func classWarnings(_ context.Context, r, _ *nodev1.RuntimeClass) []string {
	if r.Scheduling == nil {
		return nil
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(r.Scheduling.NodeSelector)) {
		if text := podspec.DeprecatedLabel(key); text != "" {
			all = append(all, "scheduling.nodeSelector: "+text)
		}
	}
	return all
}
