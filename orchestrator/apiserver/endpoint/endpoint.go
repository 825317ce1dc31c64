// Package endpoint answers requests for stored objects: one file per verb, the same for every kind.
//
// The apiserver's table of routes calls it after authentication and authorization. It decodes bodies, runs admission, and leaves reading and
// writing to objects; answers go out in the form that the client accepts. It knows kinds only through the catalogue.
package endpoint

import (
	"context"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/fields"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Reservation takes what an object of one kind needs exclusively (addresses, ports), before it is written.
type Reservation interface {
	// Reserve may fill in the object. release is called with whether the write happened, or never when nobody can tell; old is nil on create, obj on delete.
	Reserve(ctx context.Context, obj, old kind.Object, dryRun bool) (release func(written bool), err error)
}

// Fields tracks who set which field, and merges what is applied server-side.
type Fields interface {
	// Update notes in obj's managedFields what manager changes of live (nil: everything is new).
	Update(target fields.Target, manager string, live, obj kind.Object)
	// Apply merges a configuration into live (nil: there is none) and returns the wanted object in the target's version.
	Apply(target fields.Target, manager string, force bool, live kind.Object, patch *unstructured.Unstructured) (kind.Object, error)
	// Scale is the part of managedFields that a scale shows.
	Scale(target fields.Target, parent kind.Object) (*fields.Scale, error)
}

// Config of the endpoints.
type Config struct {
	Registry  *objects.Registry
	Admission admission.Judge
	Fields    Fields
	// Authorize decides about what a request turns out to do besides its own verb: a PUT or an apply of what does not exist creates it.
	Authorize func(ctx context.Context, info *request.Info) error
	// Reservations by resource.
	Reservations map[schema.GroupResource]Reservation
	Now          func() time.Time
	// CompressLists sends large lists compressed to clients that take that, as stock does: it costs five times the CPU of the list itself.
	CompressLists bool
}

// Endpoints serves the verbs.
type Endpoints struct{ Config }

// New returns the endpoints.
func New(cfg Config) *Endpoints {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Endpoints{cfg}
}

// call is one request on one resource.
type call struct {
	*Endpoints
	w       http.ResponseWriter
	r       *http.Request
	info    *request.Info
	kind    *kind.Kind
	version *kind.Version
}

// Serve answers one request for a resource, or for a subresource that is a part of its object (status, scale, ...).
func (e *Endpoints) Serve(w http.ResponseWriter, r *http.Request, k *kind.Kind, v *kind.Version) {
	c := &call{Endpoints: e, w: w, r: r, info: request.InfoFrom(r.Context()), kind: k, version: v}
	if err := c.serve(); err != nil {
		WriteError(w, r, err)
	}
}

func (c *call) serve() error {
	if c.info.Subresource != "" {
		return c.serveSubresource()
	}
	switch c.info.Verb {
	case "get":
		return c.get()
	case "list":
		return c.list()
	case "watch":
		return c.watch()
	case "create":
		return c.create()
	case "update":
		return c.update()
	case "patch":
		return c.patch()
	case "delete":
		return c.delete()
	case "deletecollection":
		return c.deleteCollection()
	}
	return MethodNotAllowed(c.r)
}

// gvk of the served version.
func (c *call) gvk() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: c.kind.Group, Version: c.version.Name, Kind: c.kind.Names.Kind}
}

// toHub converts a decoded body to the type that rules work on.
func (c *call) toHub(obj kind.Object) (kind.Object, error) {
	if c.version.ToHub == nil {
		return obj, nil
	}
	return c.version.ToHub(obj)
}

// fromHub converts for the answer.
func (c *call) fromHub(obj kind.Object) (kind.Object, error) {
	if c.version.FromHub == nil {
		return obj, nil
	}
	return c.version.FromHub(obj)
}

// attempt is this call under admission.
func (c *call) attempt(op admission.Operation, options runtime.Object, dryRun bool) admission.Attempt {
	return admission.Attempt{Judge: c.Admission, Attributes: admission.Attributes{
		User: request.UserFrom(c.r.Context()), Operation: op, Kind: c.kind, Version: c.version.Name, Body: c.gvk(),
		Subresource: c.info.Subresource, Namespace: c.info.Namespace, Name: c.info.Name, Options: options, DryRun: dryRun, Warn: c.warn,
	}}
}

// hooks connect a write with admission and reservations.
func (c *call) hooks(op admission.Operation, options runtime.Object, dryRun bool) objects.Hooks {
	ctx := c.r.Context()
	h := objects.Hooks{Gate: c.attempt(op, options, dryRun).Gate(ctx), DryRun: dryRun, Warn: c.warn, Track: c.track(options)}
	if reservation := c.Reservations[c.kind.GroupResource()]; reservation != nil && c.info.Subresource == "" {
		h.Reserve = func(obj, old kind.Object) (func(bool), error) { return reservation.Reserve(ctx, obj, old, dryRun) }
	}
	return h
}

// target of this call, as the tracker of fields knows it.
func (c *call) target() fields.Target {
	return fields.Target{Kind: c.kind, Version: c.version, Subresource: c.info.Subresource}
}

// track names the writer in managedFields.
func (c *call) track(options runtime.Object) func(obj, old kind.Object) {
	manager := c.managerName(options)
	return func(obj, old kind.Object) { c.Fields.Update(c.target(), manager, old, obj) }
}

// warn adds a Warning header (RFC 7234, code 299), as kubectl prints them.
func (c *call) warn(text string) { Warn(c.w, text) }
