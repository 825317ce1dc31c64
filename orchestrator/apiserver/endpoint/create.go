package endpoint

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
)

func (c *call) create() error {
	options := &metav1.CreateOptions{}
	if err := c.decodeOptions(options); err != nil {
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
	dryRun, err := dryRunOf(options.DryRun)
	if err != nil {
		return err
	}
	created, err := c.Registry.Insert(c.r.Context(), c.kind, obj, c.hooks(admission.Create, options, dryRun))
	if err != nil {
		return err
	}
	return c.respond(http.StatusCreated, created)
}
