package watchcache

import (
	"context"
	"fmt"
	"maps"

	"github.com/plumb-k8s/plumb/orchestrator/store"
)

// AddResource begins to serve one more resource (a custom one) and returns when reads of it are as fresh as those of the others. One with the same prefix is
// replaced, and its watchers end.
func (c *Cache) AddResource(ctx context.Context, added Resource) error {
	if err := c.WaitReady(ctx); err != nil {
		return err
	}
	r := c.newResource(added)
	r.loading = true
	c.swap(added.Prefix, r)
	if err := c.load(ctx, r); err != nil {
		c.remove(added.Prefix, r)
		return fmt.Errorf("add %s: %w", added.Prefix, err)
	}
	return nil
}

// RemoveResource ends a resource and its watchers.
func (c *Cache) RemoveResource(prefix string) {
	c.swap(prefix, nil)
}

// swap puts a resource, or none, in the place of whatever has the prefix.
func (c *Cache) swap(prefix string, r *resource) {
	c.applying.Lock()
	defer c.applying.Unlock()
	next := maps.Clone(*c.resources.Load())
	old := next[prefix]
	delete(next, prefix)
	if r != nil {
		next[prefix] = r
	}
	c.resources.Store(&next)
	if old != nil {
		old.end()
	}
}

// remove takes a resource away, unless it has been replaced already.
func (c *Cache) remove(prefix string, r *resource) {
	if c.resource(prefix) == r {
		c.RemoveResource(prefix)
	}
}

// load lists the resource and then applies what was committed meanwhile: since the list is read after events began to be kept, none is lost.
func (c *Cache) load(ctx context.Context, r *resource) error {
	for {
		revision, err := c.cfg.Store.Revision(ctx)
		if err != nil {
			return err
		}
		var objects []*Object
		err = c.list(ctx, r.Prefix, revision, func(e store.Entry) {
			if o := r.object(e.Key, e.Value, e.ModRevision); o != nil {
				objects = append(objects, o)
			}
		})
		if err != nil {
			return err
		}
		if c.settle(r, objects, revision) {
			return c.WaitFor(ctx, revision)
		}
	}
}

// settle makes a list and the events behind it the resource's present. False: the cache was refilled at a later revision, so events between may be missing.
func (c *Cache) settle(r *resource, objects []*Object, revision int64) bool {
	c.applying.Lock()
	defer c.applying.Unlock()
	switch {
	case !r.loading:
		// A refill of the whole cache has come first.
		return true
	case revision < c.filled:
		return false
	}
	pending := r.pending
	r.reset(objects, revision)
	now := c.cfg.Clock.Now()
	for _, e := range pending {
		if e.Revision > revision {
			r.stage(e, now)
		}
	}
	r.commit(now.Add(-c.cfg.Window))
	return true
}
