package endpoint

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
)

// decodeOptions reads CreateOptions and their likes from the query.
func (c *call) decodeOptions(into any) error {
	query := c.r.URL.Query()
	var err error
	switch o := into.(type) {
	case *metav1.GetOptions:
		err = metav1.Convert_url_Values_To_v1_GetOptions(&query, o, nil)
	case *metav1.ListOptions:
		err = metav1.Convert_url_Values_To_v1_ListOptions(&query, o, nil)
	case *metav1.DeleteOptions:
		err = metav1.Convert_url_Values_To_v1_DeleteOptions(&query, o, nil)
	default:
		return fmt.Errorf("no options in queries are of type %T", into)
	}
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	return nil
}

// CreateOptions of a request's query.
func CreateOptions(r *http.Request) (*metav1.CreateOptions, error) {
	o, query := &metav1.CreateOptions{}, r.URL.Query()
	if err := metav1.Convert_url_Values_To_v1_CreateOptions(&query, o, nil); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o, faultyOptions("CreateOptions", validation.ValidateCreateOptions(o))
}

func (c *call) updateOptions() (*metav1.UpdateOptions, error) {
	o, query := &metav1.UpdateOptions{}, c.r.URL.Query()
	if err := metav1.Convert_url_Values_To_v1_UpdateOptions(&query, o, nil); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o, faultyOptions("UpdateOptions", validation.ValidateUpdateOptions(o))
}

func (c *call) patchOptions(format types.PatchType) (*metav1.PatchOptions, error) {
	o, query := &metav1.PatchOptions{}, c.r.URL.Query()
	if err := metav1.Convert_url_Values_To_v1_PatchOptions(&query, o, nil); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o, faultyOptions("PatchOptions", validation.ValidatePatchOptions(o, format))
}

func faultyOptions(of string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: of}, "", errs)
}

// managerName is who writes by this call.
func (c *call) managerName(options runtime.Object) string {
	named := ""
	switch o := options.(type) {
	case *metav1.CreateOptions:
		named = o.FieldManager
	case *metav1.UpdateOptions:
		named = o.FieldManager
	case *metav1.PatchOptions:
		named = o.FieldManager
	}
	return fields.ManagerName(named, c.r.UserAgent())
}

// asCreate are the options of the creation that an update or an apply turns into.
func asCreate(dryRun []string, fieldManager, fieldValidation string) *metav1.CreateOptions {
	return &metav1.CreateOptions{DryRun: dryRun, FieldManager: fieldManager, FieldValidation: fieldValidation}
}
