// Package admission alters or refuses a write that is authenticated and authorized, before it is validated and stored.
//
// It is fed one Attributes per write: by endpoint, through package escalation, which stands around it, and by subresource. It hands back the
// altered object or a refusal. The plugins read the cluster through objects.Reader; only ResourceQuota writes, to charge a quota's status.
// A plugin is one file; NewChain lists them in stock's order.
package admission

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/request"
)

// Operation is what happens to the object.
type Operation string

// The operations of admission.k8s.io.
const (
	Create  Operation = "CREATE"
	Update  Operation = "UPDATE"
	Delete  Operation = "DELETE"
	Connect Operation = "CONNECT"
)

// Attributes is one write under judgement.
type Attributes struct {
	User      *request.User
	Operation Operation
	// Kind is the catalogue entry of the resource in the URL (for a subresource: of the parent).
	Kind *kind.Kind
	// Version is the served version of the request; Body the GVK of its body (Scale, Eviction, Binding for subresources).
	Version     string
	Body        schema.GroupVersionKind
	Subresource string
	Namespace   string
	// Name may be empty on a create with generateName.
	Name string
	// Object is what is to be stored (nil on delete): plugins that admit may alter it. For subresources with a body of their own it is that body.
	Object runtime.Object
	// Old is what is stored now (nil on create).
	Old runtime.Object
	// Options is *metav1.CreateOptions, *metav1.UpdateOptions, *metav1.PatchOptions or *metav1.DeleteOptions.
	Options runtime.Object
	DryRun  bool
	// Warn adds a warning header to the answer.
	Warn func(text string)
}

// Plugin admits writes: Admit may alter the object, Validate may only refuse. Errors are API status errors (apierrors).
type Plugin interface {
	// Name as --enable-admission-plugins spells it.
	Name() string
	// Handles is asked first: false skips the plugin.
	Handles(op Operation) bool
	Admit(ctx context.Context, a *Attributes) error
	Validate(ctx context.Context, a *Attributes) error
}

// DryRunOf tells whether options ask for a dry run.
func DryRunOf(dryRun []string) bool { return len(dryRun) == 1 && dryRun[0] == metav1.DryRunAll }
