package endpoint

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/admission"
	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

func (c *call) delete() error {
	options, dryRun, err := c.deleteOptions()
	if err != nil {
		return err
	}
	obj, gone, err := c.Registry.Remove(c.r.Context(), c.kind, c.removal(c.info.Namespace, c.info.Name, options, dryRun))
	if err != nil {
		return err
	}
	if !gone || c.kind.Returned {
		return c.respond(http.StatusOK, obj)
	}
	return c.respondDeleted(obj)
}

func (c *call) removal(namespace, name string, options *metav1.DeleteOptions, dryRun bool) objects.Removal {
	return objects.Removal{Namespace: namespace, Name: name, Options: *options, Hooks: c.hooks(admission.Delete, options, dryRun)}
}

// respondDeleted is the Status that says what is gone.
func (c *call) respondDeleted(obj kind.Object) error {
	status := &metav1.Status{Status: metav1.StatusSuccess, Details: &metav1.StatusDetails{
		Name: obj.GetName(), Group: c.kind.Group, Kind: c.kind.Resource, UID: obj.GetUID(),
	}}
	return RespondOther(c.w, c.r, http.StatusOK, status, schema.GroupVersionKind{Version: "v1", Kind: "Status"})
}

// deleteOptions come in the body or, without one, in the query.
func (c *call) deleteOptions() (*metav1.DeleteOptions, bool, error) {
	options := &metav1.DeleteOptions{}
	body, err := readBody(c.r)
	if err != nil {
		return nil, false, err
	}
	if len(body) > 0 {
		err = c.decodeDeleteOptions(body, options)
	} else {
		err = c.decodeOptions(options)
	}
	if err != nil {
		return nil, false, err
	}
	if options.GracePeriodSeconds != nil && *options.GracePeriodSeconds < 0 {
		one := int64(1) // negative periods mean the shortest graceful one (API doc of DeleteOptions)
		options.GracePeriodSeconds = &one
	}
	return options, len(options.DryRun) > 0, faultyOptions("DeleteOptions", validation.ValidateDeleteOptions(options))
}

func (c *call) deleteCollection() error {
	options, dryRun, err := c.deleteOptions()
	if err != nil {
		return err
	}
	listing, err := c.listOptions(false)
	if err != nil {
		return err
	}
	p, err := c.page(listing)
	if err != nil {
		return err
	}
	if err := c.deleteAll(p.items, options, dryRun); err != nil {
		return err
	}
	f, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	body, err := c.body(p, f.media)
	if err != nil {
		return err
	}
	return sendList(c.w, http.StatusOK, body, f)
}

// decodeDeleteOptions takes them in any version, as stock does: clients send v1, meta.k8s.io/v1, or a version of the resource's own group.
func (c *call) decodeDeleteOptions(body []byte, into *metav1.DeleteOptions) error {
	media := mediaJSON
	if header := c.r.Header.Get("Content-Type"); header != "" {
		parsed, _, err := mime.ParseMediaType(header)
		if err != nil {
			return apierrors.NewBadRequest(err.Error())
		}
		media = parsed
	}
	codec, err := codecOf(media)
	if err != nil {
		return err
	}
	want := schema.GroupVersionKind{Version: "v1", Kind: "DeleteOptions"}
	_, got, err := codec.Decode(body, &want, into)
	if runtime.IsNotRegisteredError(err) && got != nil && got.Kind == want.Kind && media != mediaProtobuf {
		err = yaml.Unmarshal(body, into)
	}
	if _, strict := runtime.AsStrictDecodingError(err); err != nil && !strict { // unknown options are ignored, in every field validation
		return apierrors.NewBadRequest(err.Error())
	}
	if got != nil && got.Kind != want.Kind {
		return apierrors.NewBadRequest(fmt.Sprintf("no kind %q is registered for version %q in scheme %q", got.Kind, got.GroupVersion(), "pkg/runtime/scheme.go:111"))
	}
	return nil
}

// deleteWorkers delete a collection's objects side by side.
const deleteWorkers = 8

// deleteAll deletes each; one that is gone already is no error. The first error stops the rest.
func (c *call) deleteAll(items []*watchcache.Object, options *metav1.DeleteOptions, dryRun bool) error {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	work := make(chan *watchcache.Object)
	var workers sync.WaitGroup
	for range min(deleteWorkers, len(items)) {
		workers.Go(func() {
			for o := range work {
				_, _, err := c.Registry.Remove(ctx, c.kind, c.removal(o.Namespace, o.Name, options, dryRun))
				if err != nil && !apierrors.IsNotFound(err) {
					cancel(err)
				}
			}
		})
	}
	for _, o := range items {
		select {
		case work <- o:
		case <-ctx.Done():
		}
	}
	close(work)
	workers.Wait()
	return context.Cause(ctx)
}
