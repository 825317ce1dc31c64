package apps

import (
	"context"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// ControllerRevision is the catalogue entry of controllerrevisions: immutable snapshots of a controller's template.
func ControllerRevision() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: appsv1.GroupName, Kind: "ControllerRevision", Resource: "controllerrevisions",
			Singular: "controllerrevision"},
		Namespaced: true,
		Versions:   []kind.Version{kind.Served("v1", &appsv1.ControllerRevision{}, &appsv1.ControllerRevisionList{})},
		Storage:    kind.Stored("controllerrevisions", appsv1.SchemeGroupVersion, &appsv1.ControllerRevision{}),
		Columns:    kind.Table("Name;Controller;Revision;Age", docs),
		Cells: kind.Cells(func(r *appsv1.ControllerRevision, now time.Time) []any {
			return []any{r.Name, controllerText(r), strconv.FormatInt(r.Revision, 10), kind.Age(r, now)}
		}),
		Rules: kind.Typed[*appsv1.ControllerRevision]{
			ValidateCreate: func(_ context.Context, r *appsv1.ControllerRevision) field.ErrorList { return validateRevision(r) },
			ValidateUpdate: func(_ context.Context, r, old *appsv1.ControllerRevision) field.ErrorList {
				errs := validateRevision(r)
				if !equality.Semantic.DeepEqual(r.Data, old.Data) {
					errs = append(errs, field.Invalid(field.NewPath("data"), r.Data, "field is immutable"))
				}
				return errs
			},
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

func controllerText(r *appsv1.ControllerRevision) string {
	owner := metav1.GetControllerOf(r)
	if owner == nil {
		return "<none>"
	}
	group, _, grouped := strings.Cut(owner.APIVersion, "/")
	if !grouped {
		return strings.ToLower(owner.Kind) + "/" + owner.Name
	}
	return strings.ToLower(owner.Kind) + "." + group + "/" + owner.Name
}

func validateRevision(r *appsv1.ControllerRevision) field.ErrorList {
	var errs field.ErrorList
	if r.Data.Raw == nil && r.Data.Object == nil {
		errs = append(errs, field.Required(field.NewPath("data"), "data is mandatory"))
	}
	if r.Revision < 0 {
		errs = append(errs, field.Invalid(field.NewPath("revision"), r.Revision, "must be greater than or equal to 0"))
	}
	return errs
}
