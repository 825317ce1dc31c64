package batch

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateSchedule(schedule string, path *field.Path) field.ErrorList {
	if strings.Contains(schedule, "TZ") {
		return field.ErrorList{field.Invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")}
	}
	if _, err := cron.ParseStandard(schedule); err != nil {
		return field.ErrorList{field.Invalid(path, schedule, err.Error())}
	}
	return nil
}

func validateZone(zone *string, path *field.Path) field.ErrorList {
	switch {
	case zone == nil:
		return nil
	case *zone == "":
		return field.ErrorList{field.Invalid(path, *zone, "timeZone must be nil or non-empty string")}
	case strings.EqualFold(*zone, "Local"):
		return field.ErrorList{field.Invalid(path, *zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")}
	}
	if _, err := time.LoadLocation(*zone); err != nil {
		return field.ErrorList{field.Invalid(path, *zone, err.Error())}
	}
	return nil
}

// validateFailures: how a Job counts its pods' failures, and who looks after it.
func validateFailures(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	indexed := false
	if s.CompletionMode != nil {
		indexed = *s.CompletionMode == batchv1.IndexedCompletion
		if !indexed && *s.CompletionMode != batchv1.NonIndexedCompletion {
			errs = append(errs, field.NotSupported(path.Child("completionMode"), *s.CompletionMode, []batchv1.CompletionMode{"NonIndexed", "Indexed"}))
		}
	}
	if s.BackoffLimitPerIndex != nil && !indexed {
		errs = append(errs, field.Invalid(path.Child("backoffLimitPerIndex"), *s.BackoffLimitPerIndex, "requires indexed completion mode"))
	}
	if s.MaxFailedIndexes != nil {
		if s.BackoffLimitPerIndex == nil {
			errs = append(errs, field.Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
		}
		if s.Completions != nil && *s.MaxFailedIndexes > *s.Completions {
			errs = append(errs, field.Invalid(path.Child("maxFailedIndexes"), *s.MaxFailedIndexes, "must be less than or equal to completions"))
		}
	}
	if s.PodReplacementPolicy != nil && *s.PodReplacementPolicy != batchv1.Failed && *s.PodReplacementPolicy != batchv1.TerminatingOrFailed {
		errs = append(errs, field.NotSupported(path.Child("podReplacementPolicy"), *s.PodReplacementPolicy, []batchv1.PodReplacementPolicy{"Failed", "TerminatingOrFailed"}))
	}
	if s.ManagedBy != nil {
		errs = append(errs, validation.IsDomainPrefixedPath(path.Child("managedBy"), *s.ManagedBy)...)
	}
	if s.PodFailurePolicy != nil {
		for i := range s.PodFailurePolicy.Rules {
			errs = append(errs, validateFailureRule(&s.PodFailurePolicy.Rules[i], path.Child("podFailurePolicy", "rules").Index(i))...)
		}
	}
	return errs
}

func validateFailureRule(r *batchv1.PodFailurePolicyRule, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch r.Action {
	case batchv1.PodFailurePolicyActionIgnore, batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionFailIndex, batchv1.PodFailurePolicyActionCount:
	case "":
		errs = append(errs, field.Required(path.Child("action"), `valid values: "Count", "FailIndex", "FailJob", "Ignore"`))
	default:
		errs = append(errs, field.NotSupported(path.Child("action"), r.Action, []batchv1.PodFailurePolicyAction{"Count", "FailIndex", "FailJob", "Ignore"}))
	}
	if r.OnExitCodes != nil {
		for i, code := range r.OnExitCodes.Values {
			if code == 0 && r.OnExitCodes.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn {
				errs = append(errs, field.Invalid(path.Child("onExitCodes", "values").Index(i), code, "must not be 0 for the In operator"))
			}
		}
	}
	switch {
	case r.OnExitCodes != nil && len(r.OnPodConditions) > 0:
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "specifying both OnExitCodes and OnPodConditions is not supported"))
	case r.OnExitCodes == nil && len(r.OnPodConditions) == 0:
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "specifying one of OnExitCodes and OnPodConditions is required"))
	}
	return errs
}
