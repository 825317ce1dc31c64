package scheduling

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// highestUserPriority bounds what users may define (API concepts page "Pod Priority and Preemption").
const highestUserPriority = 1000000000

// PriorityClass is the catalogue entry of priorityclasses.
func PriorityClass() kind.Kind {
	return kind.Kind{
		Names: kind.Names{Group: schedulingv1.GroupName, Kind: "PriorityClass", Resource: "priorityclasses", Singular: "priorityclass",
			ShortNames: []string{"pc"}},
		Versions: []kind.Version{kind.Served("v1", &schedulingv1.PriorityClass{}, &schedulingv1.PriorityClassList{})},
		Storage:  kind.Stored("priorityclasses", schedulingv1.SchemeGroupVersion, &schedulingv1.PriorityClass{}),
		Columns: kind.Table("Name;Value:integer;Global-Default:boolean;Age;PreemptionPolicy", map[string]string{
			"Value":            schedulingv1.PriorityClass{}.SwaggerDoc()["value"],
			"Global-Default":   schedulingv1.PriorityClass{}.SwaggerDoc()["globalDefault"],
			"PreemptionPolicy": schedulingv1.PriorityClass{}.SwaggerDoc()["preemptionPolicy"],
		}),
		Cells: kind.Cells(func(p *schedulingv1.PriorityClass, now time.Time) []any {
			policy := ""
			if p.PreemptionPolicy != nil {
				policy = string(*p.PreemptionPolicy)
			}
			return []any{p.Name, int64(p.Value), p.GlobalDefault, kind.Age(p, now), policy}
		}),
		Rules: kind.Typed[*schedulingv1.PriorityClass]{
			Default: func(p *schedulingv1.PriorityClass) {
				if p.PreemptionPolicy == nil {
					policy := corev1.PreemptLowerPriority
					p.PreemptionPolicy = &policy
				}
			},
			ValidateCreate:      validate,
			ValidateUpdate:      validateUpdate,
			Generation:          func(_, _ *schedulingv1.PriorityClass) bool { return false },
			UnconditionalUpdate: true,
		}.Rules(),
	}
}

func validate(_ context.Context, p *schedulingv1.PriorityClass) field.ErrorList {
	system := map[string]int32{"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
	if strings.HasPrefix(p.Name, "system-") {
		if value, known := system[p.Name]; !known || value != p.Value || p.GlobalDefault {
			return field.ErrorList{field.Forbidden(field.NewPath("metadata", "name"),
				"priority class names with 'system-' prefix are reserved for system use only. error: "+p.Name+" is not a known system priority class")}
		}
		return nil
	}
	if p.Value > highestUserPriority {
		return field.ErrorList{field.Forbidden(field.NewPath("value"), "maximum allowed value of a user defined priority is 1000000000")}
	}
	return nil
}

func validateUpdate(_ context.Context, p, old *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if p.Value != old.Value {
		errs = append(errs, field.Forbidden(field.NewPath("value"), "may not be changed in an update."))
	}
	if *p.PreemptionPolicy != *old.PreemptionPolicy {
		errs = append(errs, field.Invalid(field.NewPath("preemptionPolicy"), *p.PreemptionPolicy, "field is immutable"))
	}
	return errs
}
