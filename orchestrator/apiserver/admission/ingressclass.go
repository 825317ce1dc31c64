package admission

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
)

// defaultIngressClass gives an Ingress that names no class the default one.
type defaultIngressClass struct {
	onlyAdmits
	reader objects.Reader
}

// oldIngressClass is the annotation that named the class before the field did.
const oldIngressClass = "kubernetes.io/ingress.class"

func (*defaultIngressClass) Name() string { return "DefaultIngressClass" }

func (*defaultIngressClass) Handles(op Operation) bool { return op == Create }

func (d *defaultIngressClass) Admit(ctx context.Context, a *Attributes) error {
	ingress, ok := a.Object.(*networkingv1.Ingress)
	if !ok || a.Subresource != "" || ingress.Spec.IngressClassName != nil {
		return nil
	}
	if _, old := ingress.Annotations[oldIngressClass]; old {
		return nil
	}
	list, err := d.reader.List(ctx, schema.GroupResource{Group: networkingv1.GroupName, Resource: "ingressclasses"}, "", nil)
	if err != nil {
		return refuse(a, "%v", err)
	}
	var newest *networkingv1.IngressClass
	for _, obj := range list {
		class, ok := obj.(*networkingv1.IngressClass)
		if ok && class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" && (newest == nil || newer(class, newest)) {
			newest = class
		}
	}
	if newest != nil {
		ingress.Spec.IngressClassName = &newest.Name
	}
	return nil
}

// newer: of several default classes the one made last, then the first by name.
func newer(a, b *networkingv1.IngressClass) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name < b.Name
	}
	return b.CreationTimestamp.Before(&a.CreationTimestamp)
}
