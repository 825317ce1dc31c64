package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// futurePatience is how long a request for a version that is to come waits for it (stock: 3 s).
const futurePatience = 3 * time.Second

func (c *call) get() error {
	options := &metav1.GetOptions{}
	if err := c.decodeOptions(options); err != nil {
		return err
	}
	o, err := c.find(options.ResourceVersion)
	if err != nil {
		return err
	}
	f, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	if f.as != "" {
		return c.respondAs(http.StatusOK, objects.Of(o), f)
	}
	raw, err := c.cachedFragment(o, c.encoding(f.media))
	if err != nil {
		return err
	}
	body, err := typed(raw, c.gvk(), f.media)
	if err != nil {
		return err
	}
	return send(c.w, http.StatusOK, body, f)
}

// find returns the object in the URL, as new as the request asks.
func (c *call) find(resourceVersion string) (*watchcache.Object, error) {
	if err := c.fresh(resourceVersion); err != nil {
		return nil, err
	}
	o, ok := c.Registry.Cache.Get(objects.Prefix(c.kind), objects.Key(c.kind, c.info.Namespace, c.info.Name))
	if !ok {
		return nil, apierrors.NewNotFound(c.kind.GroupResource(), c.info.Name)
	}
	return o, nil
}

// fresh waits until the cache is as new as a resourceVersion asks: unset means now, 0 anything, a number at least that one.
func (c *call) fresh(resourceVersion string) error {
	ctx := c.r.Context()
	if resourceVersion == "" {
		return c.Registry.Barrier(ctx)
	}
	revision, err := parseVersion(resourceVersion)
	if err != nil {
		return err
	}
	if revision == 0 {
		return c.Registry.Cache.WaitReady(ctx)
	}
	return c.reach(revision)
}

// reach waits for a revision, but not for long: it may never come.
func (c *call) reach(revision int64) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), futurePatience)
	defer cancel()
	cache := c.Registry.Cache
	err := cache.WaitFor(ctx, revision)
	if errors.Is(err, context.DeadlineExceeded) {
		return tooLarge(revision, cache.Revision())
	}
	return err
}

func tooLarge(asked, have int64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", asked, have), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	return err
}
