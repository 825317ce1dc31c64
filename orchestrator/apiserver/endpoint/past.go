package endpoint

import (
	"errors"
	"fmt"
	"math"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// readAhead is how many objects one read of the store's past brings at least: with a selector, many may be needed to find a few.
const readAhead = 500

// found is what a list finds at its moment: the objects that it asks for, up to its limit, and how many follow. Where nobody needs to know how many
// there are, more than none is enough.
type found struct {
	items     []*watchcache.Object
	remaining int64
}

// stored looks for a page in the store: of its range, as much as the page takes.
func (c *call) stored(options *metav1.ListOptions, revision int64, after string, match matcher) (*found, error) {
	prefix, f := c.scope(), &found{}
	limit := options.Limit
	if limit <= 0 {
		limit = math.MaxInt64
	}
	for {
		wanted := max(readAhead, min(limit-int64(len(f.items)), 4*readAhead))
		if options.LabelSelector == "" && options.FieldSelector == "" {
			wanted = min(limit-int64(len(f.items)), 4*readAhead)
		}
		page, err := c.Registry.Store.List(c.r.Context(), prefix, store.ListOptions{Revision: revision, Limit: wanted, After: after})
		if errors.Is(err, store.ErrCompacted) {
			return nil, apierrors.NewResourceExpired(fmt.Sprintf("The resourceVersion %d is too old.", revision))
		}
		if err != nil {
			return nil, err
		}
		for _, o := range c.Registry.Cache.Read(objects.Prefix(c.kind), page.Entries) {
			switch {
			case !match(o):
			case int64(len(f.items)) == limit:
				f.remaining++
			default:
				f.items = append(f.items, o)
			}
		}
		switch {
		case !page.More || len(page.Entries) == 0:
			return f, nil
		case f.remaining > 0 || int64(len(f.items)) == limit && options.LabelSelector == "" && options.FieldSelector == "":
			f.remaining += page.Remaining
			return f, nil
		}
		after = page.Entries[len(page.Entries)-1].Key
	}
}

// cached looks for a page in a snapshot.
func (c *call) cached(options *metav1.ListOptions, snapshot *watchcache.Snapshot, after string, match matcher) *found {
	f := &found{}
	snapshot.Range(c.scope(), after, func(o *watchcache.Object) bool {
		switch {
		case !match(o):
		case options.Limit > 0 && int64(len(f.items)) == options.Limit:
			f.remaining++
		default:
			f.items = append(f.items, o)
		}
		return true
	})
	return f
}
