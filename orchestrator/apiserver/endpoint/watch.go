package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumb-k8s/plumb/orchestrator/apiserver/objects"
	"github.com/plumb-k8s/plumb/orchestrator/watchcache"
)

// minWatch is the shortest life of a watch that names none; up to twice that, so that clients do not come back all at once (stock: 30 to 60 min).
const minWatch = 30 * time.Minute

// bookmarkInterval is how often a quiet watch is told how far it has seen.
const bookmarkInterval = time.Minute

// watch streams events until its time is over or the client leaves.
func (c *call) watch() error {
	options, err := c.listOptions(true)
	if err != nil {
		return err
	}
	f, err := negotiate(c.r, true)
	if err != nil {
		return err
	}
	match, err := c.matcher(options)
	if err != nil {
		return err
	}
	life := minWatch + rand.N(minWatch)
	if options.TimeoutSeconds != nil && *options.TimeoutSeconds > 0 {
		life = time.Duration(*options.TimeoutSeconds) * time.Second
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), life)
	defer cancel()
	s := &stream{call: c, form: f, match: match, bookmarks: options.AllowWatchBookmarks, key: c.encoding(f.media)}
	s.head = s.beginning()
	initial, after, err := s.begin(options)
	if apierrors.IsTimeout(err) && options.SendInitialEvents != nil {
		return s.refuse(err)
	}
	if err != nil {
		return err
	}
	w, err := c.Registry.Cache.Watch(objects.Prefix(c.kind), after)
	if errors.Is(err, watchcache.ErrTooOld) {
		return s.refuse(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", after, c.Registry.Cache.Floor(objects.Prefix(c.kind)))))
	}
	if err != nil {
		return err
	}
	s.open()
	s.run(ctx, initial, after, w)
	return nil
}

// stream is one watch under way.
type stream struct {
	*call
	form        form
	match       matcher
	bookmarks   bool
	flush       func() error
	columnsSent bool
	// key of the encodings that are sent, and what stands before each; scratch is for what stands there in a protobuf message.
	key           watchcache.EncodingKey
	head, scratch []byte
}

// initialEvents are the state that a watch starts with; end tells that a bookmark marks where they end.
type initialEvents struct {
	items []*watchcache.Object
	end   bool
}

// begin finds out where the watch starts: behind a version, or with the present state as events.
func (s *stream) begin(options *metav1.ListOptions) (initialEvents, int64, error) {
	asked := options.ResourceVersion
	streamList := options.SendInitialEvents != nil && *options.SendInitialEvents
	if !streamList && asked != "" && asked != "0" {
		revision, err := parseVersion(asked)
		return initialEvents{}, revision, err
	}
	if streamList || asked == "" || options.SendInitialEvents != nil {
		if err := s.fresh(asked); err != nil {
			return initialEvents{}, 0, err
		}
	}
	if err := s.Registry.Cache.WaitReady(s.r.Context()); err != nil {
		return initialEvents{}, 0, err
	}
	present := s.Registry.Cache.Snapshot(objects.Prefix(s.kind))
	revision := present.Revision()
	if options.SendInitialEvents != nil && !streamList {
		return initialEvents{}, revision, nil
	}
	initial := initialEvents{end: streamList && s.bookmarks}
	present.Range(s.scope(), "", func(o *watchcache.Object) bool {
		if s.match(o) {
			initial.items = append(initial.items, o)
		}
		return true
	})
	return initial, revision, nil
}

// refuse ends a watch that cannot begin: in the stream, as an ERROR event, where clients look for it.
func (s *stream) refuse(problem error) error {
	s.open()
	_ = s.fail(problem) // when the client went away, nobody is left to tell
	return nil
}

// open sends the header at once, so that the client knows that it is watching.
func (s *stream) open() {
	media := s.form.media
	switch {
	case media == mediaProtobuf:
		media += ";stream=watch"
	case s.form.stream:
		media += ";stream=watch"
	}
	s.w.Header().Set("Content-Type", media)
	s.w.Header().Set("Cache-Control", "no-cache, private")
	s.w.WriteHeader(http.StatusOK)
	s.flush = http.NewResponseController(s.w).Flush
	_ = s.flush()
}

// run sends events until the stream ends, whatever ends it: the client resumes from its last version.
func (s *stream) run(ctx context.Context, initial initialEvents, revision int64, w *watchcache.Watcher) {
	for i, o := range initial.items {
		if s.send(watch.Added, o, 0) != nil {
			return
		}
		initial.items[i] = nil // the watch lives on, the object may not
	}
	if initial.end && s.bookmark(revision, true) != nil {
		return
	}
	if s.flush() != nil {
		return
	}
	ticker := time.NewTicker(bookmarkInterval)
	defer ticker.Stop()
	for {
		events, seen, err := w.Next(ctx, ticker.C)
		if errors.Is(err, watchcache.ErrTooOld) {
			_ = s.fail(apierrors.NewResourceExpired("The resourceVersion for the provided watch is too old."))
			return
		}
		if err != nil {
			return
		}
		for i := range events {
			if s.event(&events[i]) != nil {
				return
			}
		}
		if len(events) == 0 && s.bookmarks && s.bookmark(seen, false) != nil {
			return
		}
		if s.flush() != nil {
			return
		}
	}
}

// event sends what an event means under the watch's selector.
func (s *stream) event(e *watchcache.Event) error {
	elsewhere := s.kind.Namespaced && s.info.Namespace != "" && e.Object.Namespace != s.info.Namespace
	if elsewhere {
		return nil
	}
	now := e.Type != watchcache.Deleted && s.match(e.Object)
	before := e.Previous != nil && s.match(e.Previous)
	switch {
	case now && before:
		return s.send(watch.Modified, e.Object, 0)
	case now:
		return s.send(watch.Added, e.Object, 0)
	case before:
		// The last state that matched, stamped with the version of the change.
		return s.send(watch.Deleted, e.Previous, e.Revision)
	}
	return nil
}

// send writes one event. A revision other than 0 takes the place of the object's own.
func (s *stream) send(event watch.EventType, o *watchcache.Object, revision int64) error {
	switch {
	case s.form.as == "" && revision == 0:
		raw, err := s.cachedFragment(o, s.key)
		if err != nil {
			return err
		}
		return s.sendFragment(event, raw)
	case s.form.as == "":
		raw, err := s.lastFragment(o, revision)
		if err != nil {
			return err
		}
		return s.sendFragment(event, raw)
	}
	obj := objects.Of(o)
	if revision != 0 {
		obj = withVersion(obj, revision)
	}
	raw, err := s.encodeEvent(obj)
	if err != nil {
		return err
	}
	return s.frame(event, raw)
}

// lastFragment is the encoding of an object that an event took away, with the version of the event: there is only one for each object, so that
// it too is made once.
func (s *stream) lastFragment(o *watchcache.Object, revision int64) ([]byte, error) {
	key := s.key
	key.Transform = "last"
	return o.Encoding(key, func() ([]byte, error) {
		obj, err := s.fromHub(withVersion(objects.Of(o), revision))
		if err != nil {
			return nil, err
		}
		return fragment(withoutType(obj), key.MediaType)
	})
}

// fail ends a stream with an ERROR event.
func (s *stream) fail(problem error) error {
	status := StatusOf(problem)
	status.Kind, status.APIVersion = "Status", "v1"
	raw, err := json.Marshal(&status)
	if s.form.media == mediaProtobuf {
		status.Kind, status.APIVersion = "", ""
		if raw, err = status.Marshal(); err == nil {
			raw = envelope("v1", "Status", raw)
		}
	}
	if err != nil {
		return err
	}
	if err := s.frame(watch.Error, raw); err != nil {
		return err
	}
	return s.flush()
}

// bookmark tells how far the watch has seen.
func (s *stream) bookmark(revision int64, endOfInitial bool) error {
	obj := s.version.New()
	obj.SetResourceVersion(strconv.FormatInt(revision, 10))
	if endOfInitial {
		obj.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	raw, err := s.encodeBookmark(obj)
	if err != nil {
		return err
	}
	return s.frame(watch.Bookmark, raw)
}
