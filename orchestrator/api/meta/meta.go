// Package meta validates metadata, the same for every kind: names, labels, annotations, owners, finalizers, and what an update may not
// change. The apiserver calls it beside the kind's own rules. It must not know any kind.
package meta

import (
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

var path = field.NewPath("metadata")

// ValidateObjectMeta returns every fault of a new object's metadata, names by the kind's rule.
func ValidateObjectMeta(obj metav1.Object, k *kind.Kind) field.ErrorList {
	return validation.ValidateObjectMetaAccessor(obj, k.Namespaced, nameRule(k), path)
}

// ValidateObjectMetaUpdate returns every fault of changed metadata and of the change itself.
func ValidateObjectMetaUpdate(obj, old metav1.Object, k *kind.Kind) field.ErrorList {
	errs := validation.ValidateObjectMetaAccessorUpdate(obj, old, path)
	return append(errs, validation.ValidateObjectMetaAccessor(obj, k.Namespaced, anyName, path)...)
}

func nameRule(k *kind.Kind) validation.ValidateNameFunc {
	if k.ValidName != nil {
		return k.ValidName
	}
	return validation.NameIsDNSSubdomain
}

// anyName: the name of an object that exists was accepted once, perhaps by other rules.
func anyName(string, bool) []string { return nil }
