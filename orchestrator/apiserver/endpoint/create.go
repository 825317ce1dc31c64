package endpoint

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
)

func (c *call) create() error {
	options, err := CreateOptions(c.r)
	if err != nil {
		return err
	}
	body := c.version.New()
	if err := c.decodeBody(body, c.gvk()); err != nil {
		return err
	}
	if err := c.place(body); err != nil {
		return err
	}
	obj, err := c.toHub(body)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	created, err := c.Registry.Insert(c.r.Context(), c.kind, obj, c.hooks(admission.Create, options, len(options.DryRun) > 0))
	if err != nil {
		return err
	}
	return c.respond(http.StatusCreated, created)
}

// createInstead is what a PUT or an apply of an object that does not exist comes to, for those who may also create it.
func (c *call) createInstead(obj kind.Object, options *metav1.CreateOptions, track func(obj, old kind.Object)) (kind.Object, error) {
	if c.Authorize != nil {
		creation := *c.info
		creation.Verb = "create"
		if err := c.Authorize(c.r.Context(), &creation); err != nil {
			return nil, err
		}
	}
	if uid := obj.GetUID(); uid != "" {
		return nil, apierrors.NewConflict(c.kind.GroupResource(), c.info.Name, noSuchUID(uid))
	}
	hooks := c.hooks(admission.Create, options, len(options.DryRun) > 0)
	hooks.Track = track
	return c.Registry.Insert(c.r.Context(), c.kind, obj, hooks)
}
