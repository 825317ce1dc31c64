package subresource

import (
	"context"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/endpoint"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// posted serves what is made by POST of a body of its own kind, of which no object is stored: a binding, an eviction, a token, a review. There is no
// other way for such a body: its options, its decoding, its place and its admission are the same for all.
type posted[T kind.Object] struct {
	h *handlers
	// gvk of the body. An older version of it, with the same fields, is read by older.
	gvk   schema.GroupVersionKind
	empty func() T
	older func() (schema.GroupVersionKind, kind.Object, func(T))
	// check refuses a body before anybody validates it; nil refuses none.
	check func(p *posting, body T) error
	// answer acts on the body as admission left it.
	answer func(p *posting, body T) (runtime.Object, schema.GroupVersionKind, error)
}

// posting is one such request.
type posting struct {
	ctx    context.Context
	r      *http.Request
	info   *request.Info
	dryRun bool
}

func (s posted[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	obj, gvk, err := s.serve(w, r)
	if err == nil {
		err = endpoint.RespondOther(w, r, http.StatusCreated, obj, gvk)
	}
	if err != nil {
		endpoint.WriteError(w, r, err)
	}
}

func (s posted[T]) serve(w http.ResponseWriter, r *http.Request) (runtime.Object, schema.GroupVersionKind, error) {
	if r.Method != http.MethodPost {
		return nil, s.gvk, endpoint.MethodNotAllowed(r)
	}
	options, err := endpoint.CreateOptions(r)
	if err != nil {
		return nil, s.gvk, err
	}
	body, err := s.decode(w, r)
	if err != nil {
		return nil, s.gvk, err
	}
	p := &posting{ctx: r.Context(), r: r, info: request.InfoFrom(r.Context()), dryRun: admission.DryRunOf(options.DryRun)}
	k := s.h.Registry.Kind(schema.GroupResource{Group: p.info.Group, Resource: p.info.Resource})
	if err := place(k, p.info, body); err != nil {
		return nil, s.gvk, err
	}
	attempt := s.h.attempt(w, r, k, admission.Create, s.gvk)
	attempt.Options, attempt.DryRun = options, p.dryRun
	if attempt.Name == "" {
		attempt.Name = body.GetName()
	}
	err = attempt.Pass(p.ctx, body, func() error {
		if s.check == nil {
			return nil
		}
		return s.check(p, body)
	})
	if err != nil {
		return nil, s.gvk, err
	}
	return s.answer(p, body)
}

func (s posted[T]) decode(w http.ResponseWriter, r *http.Request) (T, error) {
	body := s.empty()
	if s.older == nil {
		return body, endpoint.DecodeBody(w, r, endpoint.Body{GVK: s.gvk, Into: body})
	}
	gvk, old, convert := s.older()
	before := endpoint.Body{GVK: gvk, Into: old, Then: func() { convert(body) }}
	return body, endpoint.DecodeBody(w, r, endpoint.Body{GVK: s.gvk, Into: body}, before)
}

// place checks the namespace of a body against the URL's, and fills it in. Its name is the business of who answers: a review has none.
func place(k *kind.Kind, info *request.Info, body metav1.Object) error {
	if !k.Namespaced {
		return nil
	}
	switch body.GetNamespace() {
	case "":
		body.SetNamespace(info.Namespace)
	case info.Namespace:
	default:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// attempt is a request for a subresource under admission.
func (h *handlers) attempt(w http.ResponseWriter, r *http.Request, k *kind.Kind, op admission.Operation, body schema.GroupVersionKind) admission.Attempt {
	info := request.InfoFrom(r.Context())
	return admission.Attempt{Judge: h.Admission, Attributes: admission.Attributes{
		User: request.UserFrom(r.Context()), Operation: op, Kind: k, Version: info.Version, Body: body, Subresource: info.Subresource,
		Namespace: info.Namespace, Name: info.Name, Warn: func(text string) { endpoint.Warn(w, text) },
	}}
}
