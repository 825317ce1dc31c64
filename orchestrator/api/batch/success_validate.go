package batch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// Bounds of a success policy (API doc of SuccessPolicy).
const (
	maxSuccessRules   = 20
	maxIndexesTextLen = 64 * 1024
)

func validateSuccessPolicy(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if !indexed(s) {
		return field.ErrorList{field.Invalid(path, kind.Untagged(*s.SuccessPolicy), "requires indexed completion mode")}
	}
	var errs field.ErrorList
	rules, at := s.SuccessPolicy.Rules, path.Child("rules")
	switch {
	case len(rules) == 0:
		errs = append(errs, field.Required(at, "at least one rules must be specified when the successPolicy is specified"))
	case len(rules) > maxSuccessRules:
		errs = append(errs, field.TooMany(at, len(rules), maxSuccessRules))
	}
	completions := int32(0)
	if s.Completions != nil {
		completions = *s.Completions
	}
	for i := range rules {
		errs = append(errs, validateSuccessRule(&rules[i], completions, at.Index(i))...)
	}
	return errs
}

func validateSuccessRule(r *batchv1.SuccessPolicyRule, completions int32, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if r.SucceededCount == nil && r.SucceededIndexes == nil {
		errs = append(errs, field.Required(path, "at least one of succeededCount or succeededIndexes must be specified"))
	}
	named := int32(0)
	if r.SucceededIndexes != nil {
		at := path.Child("succeededIndexes")
		if len(*r.SucceededIndexes) > maxIndexesTextLen {
			errs = append(errs, field.TooLong(at, *r.SucceededIndexes, maxIndexesTextLen))
		}
		var err error
		if named, err = countIndexes(*r.SucceededIndexes, completions); err != nil {
			errs = append(errs, field.Invalid(at, *r.SucceededIndexes, fmt.Sprintf("error parsing succeededIndexes: %v", err)))
		}
	}
	if r.SucceededCount == nil {
		return errs
	}
	at := path.Child("succeededCount")
	errs = append(errs, validation.ValidateNonnegativeField(int64(*r.SucceededCount), at)...)
	if *r.SucceededCount > completions {
		errs = append(errs, field.Invalid(at, *r.SucceededCount, fmt.Sprintf("must be less than or equal to %d (the number of specified completions)", completions)))
	}
	if r.SucceededIndexes != nil && *r.SucceededCount > named {
		errs = append(errs, field.Invalid(at, *r.SucceededCount,
			fmt.Sprintf("must be less than or equal to %d (the number of indexes in the specified succeededIndexes field)", named)))
	}
	return errs
}

// countIndexes of a text like "1,3-5": increasing, below completions.
func countIndexes(text string, completions int32) (int32, error) {
	total, previous := int32(0), int32(-1)
	if text == "" {
		return 0, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		bounds := strings.Split(part, "-")
		if len(bounds) > 2 {
			return 0, fmt.Errorf("the fragment %q violates the requirement that an index interval can have at most two parts separated by '-'", part)
		}
		first, err := oneIndex(bounds[0], completions)
		if err != nil {
			return 0, err
		}
		if previous >= first {
			return 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", previous, first)
		}
		last := first
		if len(bounds) == 2 {
			if last, err = oneIndex(bounds[1], completions); err != nil {
				return 0, err
			}
			if last <= first {
				return 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", first, last)
			}
		}
		total += last - first + 1
		previous = last
	}
	return total, nil
}

func oneIndex(text string, completions int32) (int32, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, errors.New("cannot convert string to integer for index: " + strconv.Quote(text))
	case n >= int(completions):
		return 0, fmt.Errorf("too large index: %q", text)
	}
	return int32(n), nil
}
