package endpoint

import (
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// listOptions of a list, a watch or the deletion of a collection, as far as their combinations have a meaning (API concepts, "Resource versions").
func (c *call) listOptions(watching bool) (*metav1.ListOptions, error) {
	options := &metav1.ListOptions{}
	if err := c.decodeOptions(options); err != nil {
		return nil, err
	}
	options.Watch = watching
	return options, faultyOptions("ListOptions", validation.ValidateListOptions(&internalversion.ListOptions{
		Watch: watching, ResourceVersion: options.ResourceVersion, ResourceVersionMatch: options.ResourceVersionMatch,
		Continue: options.Continue, SendInitialEvents: options.SendInitialEvents,
	}, true))
}

// parseVersion reads a resourceVersion. What is none is an error without a reason, as stock has it.
func parseVersion(text string) (int64, error) {
	revision, err := strconv.ParseInt(text, 10, 64)
	if err == nil && revision >= 0 {
		return revision, nil
	}
	fault := fmt.Sprintf("strconv.ParseUint: parsing %q: invalid syntax", text)
	return 0, field.Invalid(field.NewPath("resourceVersion"), text, fault)
}

// listVersion is parseVersion for lists, where it is the client's fault.
func listVersion(text string) (int64, error) {
	revision, err := parseVersion(text)
	if err != nil {
		return 0, apierrors.NewBadRequest("invalid resource version: " + err.Error())
	}
	return revision, nil
}
