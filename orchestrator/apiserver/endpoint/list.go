package endpoint

import (
	"errors"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// page is one answer to a list.
type page struct {
	items    []*watchcache.Object
	metadata metav1.ListMeta
}

func (c *call) list() error {
	options, err := c.listOptions(false)
	if err != nil {
		return err
	}
	f, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	f.gzip = c.CompressLists && acceptsGzip(c.r)
	p, err := c.page(options)
	if err != nil {
		return err
	}
	if f.as != "" {
		return c.respondList(p, f)
	}
	body, err := c.body(p, f.media)
	if err != nil {
		return err
	}
	return sendList(c.w, http.StatusOK, body, f)
}

// page collects the objects that a list asks for.
func (c *call) page(options *metav1.ListOptions) (*page, error) {
	match, err := c.matcher(options)
	if err != nil {
		return nil, err
	}
	at, after, err := c.moment(options)
	if err != nil {
		return nil, err
	}
	var f *found
	if at.snapshot != nil {
		f = c.cached(options, at.snapshot, after, match)
	} else if f, err = c.stored(options, at.revision, after, match); err != nil {
		if options.Continue != "" && apierrors.IsResourceExpired(err) {
			err = expired(after)
		}
		return nil, err
	}
	p := &page{items: f.items, metadata: metav1.ListMeta{ResourceVersion: strconv.FormatInt(at.revision, 10)}}
	if f.remaining > 0 && len(f.items) > 0 {
		p.metadata.Continue = encodeContinue(at.revision, f.items[len(f.items)-1].Key)
		if options.LabelSelector == "" && options.FieldSelector == "" {
			p.metadata.RemainingItemCount = ptr.To(f.remaining)
		}
	}
	return p, nil
}

// moment is the state of a resource that a list reads. Without a snapshot it is the store that knows it.
type moment struct {
	snapshot *watchcache.Snapshot
	revision int64
}

// moment obeys resourceVersion, resourceVersionMatch and continue (API concepts, "Resource versions").
func (c *call) moment(options *metav1.ListOptions) (moment, string, error) {
	if options.Continue != "" {
		if options.ResourceVersion != "" && options.ResourceVersion != "0" {
			return moment{}, "", apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		revision, after, err := decodeContinue(options.Continue)
		if err != nil {
			return moment{}, "", err
		}
		if revision == anyRevision {
			m, err := c.present("")
			return m, after, err
		}
		m, err := c.past(revision)
		return m, after, err
	}
	if options.ResourceVersion != "" {
		if _, err := listVersion(options.ResourceVersion); err != nil {
			return moment{}, "", err
		}
	}
	if exact(options) {
		revision, err := listVersion(options.ResourceVersion)
		if err != nil {
			return moment{}, "", err
		}
		if err := c.reach(revision); err != nil {
			return moment{}, "", err
		}
		m, err := c.past(revision)
		return m, "", err
	}
	m, err := c.present(options.ResourceVersion)
	return m, "", err
}

// exact: a list with a limit and a version but no match is of just that version.
func exact(options *metav1.ListOptions) bool {
	if options.ResourceVersionMatch != "" {
		return options.ResourceVersionMatch == metav1.ResourceVersionMatchExact
	}
	return options.Limit > 0 && options.ResourceVersion != "" && options.ResourceVersion != "0"
}

// present is the state of now, at least as new as a version asks.
func (c *call) present(version string) (moment, error) {
	if err := c.fresh(version); err != nil {
		return moment{}, err
	}
	snapshot := c.Registry.Cache.Snapshot(objects.Prefix(c.kind))
	return moment{snapshot, snapshot.Revision()}, nil
}

// past is a revision in the cache's history, or in the store's when that is too short.
func (c *call) past(revision int64) (moment, error) {
	if err := c.Registry.Cache.WaitReady(c.r.Context()); err != nil {
		return moment{}, err
	}
	s, err := c.Registry.Cache.SnapshotAt(objects.Prefix(c.kind), revision)
	if errors.Is(err, watchcache.ErrTooOld) {
		return moment{revision: revision}, nil
	}
	return moment{s, revision}, err
}
