// Package resourcequota keeps status.used of every ResourceQuota true: it counts the objects of the namespace, and so gives back what deleted
// objects used, or what admission charged for writes that failed, and adds what came before admission knew of the quota.
//
// It is fed by informers: typed ones of pods, Services and claims, whose contents count, and of quotas, and metadata ones of the other kinds that
// some quota numbers. The apiserver's admission reads the status that it writes.
package resourcequota

import (
	"context"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/component/usage"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

const (
	workers = 5
	// resync is how often every quota is counted anew, as in stock: pods whose time is over stop to count without an event, and what admission
	// charged for a write that failed is given back.
	resync = 5 * time.Minute
	// notReadyPause is how long a quota waits for the first list of what it counts.
	notReadyPause = 100 * time.Millisecond
	// arrivalPause gathers the objects that appear one after the other into one count.
	arrivalPause = 500 * time.Millisecond
	// raising begins the keys of quotas to which objects came: they are counted, too, but nothing is taken back.
	raising = "+"
)

var (
	pods     = schema.GroupResource{Resource: "pods"}
	services = schema.GroupResource{Resource: "services"}
	claims   = schema.GroupResource{Resource: "persistentvolumeclaims"}
	quotas   = schema.GroupResource{Resource: "resourcequotas"}
)

// counter holds the informers of what is counted.
type counter struct {
	*world.World
	loop *loop.Loop
	// followed are the kinds that quotas only number.
	followed *followed
}

// Run counts until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	c := &counter{World: w}
	c.loop = loop.New(ctx, workers, w.Logger, c.sync)
	c.followed = &followed{World: w, ctx: ctx, changed: c.changed, informers: map[schema.GroupResource]cache.SharedIndexInformer{}}
	core1 := w.Informers.Core().V1()
	loop.On(c.loop, core1.ResourceQuotas().Informer(), func(old, q *core.ResourceQuota) {
		// Admission writes the status with each charge: to count then would race with the objects that it lets in.
		if q != nil && (old == nil || !equality.Semantic.DeepEqual(old.Spec, q.Spec)) {
			c.loop.Add(loop.Key(q))
		}
		c.changed(quotas, objectOf(old), objectOf(q))
	})
	loop.On(c.loop, core1.Pods().Informer(), func(old, new *core.Pod) { c.changed(pods, objectOf(old), objectOf(new)) })
	loop.On(c.loop, core1.Services().Informer(), func(old, new *core.Service) { c.changed(services, objectOf(old), objectOf(new)) })
	loop.On(c.loop, core1.PersistentVolumeClaims().Informer(), func(old, new *core.PersistentVolumeClaim) {
		c.changed(claims, objectOf(old), objectOf(new))
	})
	defer c.followed.wait()
	return c.loop.Run(ctx)
}

// objectOf turns a nil pointer into a nil interface.
func objectOf[T any, P interface {
	*T
	meta.Object
	runtime.Object
}](p P) meta.Object {
	if p == nil {
		return nil
	}
	return p
}

// changed: the quotas of the namespace that count the resource look again. What uses more than before has as a rule been charged by admission, which
// may be ahead of the informers here: a count of their objects must not take the charge back. But admission charges nothing before the first
// count of a quota is in its status, and what it lets in until then the informers may show only afterwards.
func (c *counter) changed(gr schema.GroupResource, old, new meta.Object) {
	subject, wake := old, c.loop.Add
	switch {
	case old == nil || new != nil && !usesLess(gr, old, new) && usesMore(gr, old, new):
		subject, wake = new, func(key string) { c.loop.After(raising+key, arrivalPause) }
	case new != nil && !usesLess(gr, old, new):
		return
	}
	list, err := c.Informers.Core().V1().ResourceQuotas().Lister().ResourceQuotas(subject.GetNamespace()).List(labels.Everything())
	if err != nil {
		return
	}
	for _, q := range list {
		if interested(q, gr) {
			wake(loop.Key(q))
		}
	}
}

func usesMore(gr schema.GroupResource, old, new meta.Object) bool { return usesLess(gr, new, old) }

func usesLess(gr schema.GroupResource, old, new meta.Object) bool {
	before, isBefore := old.(runtime.Object)
	after, isAfter := new.(runtime.Object)
	if !isBefore || !isAfter {
		return false
	}
	if pod, ok := after.(*core.Pod); ok {
		was, _ := before.(*core.Pod)
		if was == nil || (was.Spec.ActiveDeadlineSeconds == nil) != (pod.Spec.ActiveDeadlineSeconds == nil) || pod.DeletionTimestamp != nil {
			return true // its scope changed, or it stops to count when its grace period is over
		}
	}
	now := time.Now()
	return len(usage.Growth(usage.Of(gr, before, now), usage.Of(gr, after, now))) > 0
}

func (c *counter) sync(ctx context.Context, key string) error {
	plain, raises := strings.CutPrefix(key, raising)
	namespace, name := loop.Split(plain)
	q, err := c.Informers.Core().V1().ResourceQuotas().Lister().ResourceQuotas(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	all, ready := c.populations(q)
	if !ready {
		c.loop.After(key, notReadyPause)
		return nil
	}
	wanted := status(q, all, time.Now())
	if raises {
		wanted.Used = raised(q.Status.Used, wanted.Used)
	} else {
		c.loop.After(key, resync)
	}
	if current(q, wanted) {
		return nil
	}
	changed := q.DeepCopy()
	changed.Status = wanted
	_, err = c.Client.CoreV1().ResourceQuotas(namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// populations are the objects of the namespace that the quota counts; ready is false while one of the informers has no list yet.
func (c *counter) populations(q *core.ResourceQuota) (all []population, ready bool) {
	core1 := c.Informers.Core().V1()
	informers := map[schema.GroupResource]cache.SharedIndexInformer{
		pods: core1.Pods().Informer(), services: core1.Services().Informer(), claims: core1.PersistentVolumeClaims().Informer(),
		quotas: core1.ResourceQuotas().Informer(), // the one that told of q: another might not show q yet
	}
	for _, gr := range numbered(q) {
		if informer := c.followed.informer(gr); informer != nil {
			informers[gr] = informer
		}
	}
	for gr, informer := range informers {
		if !interested(q, gr) {
			continue
		}
		if !informer.HasSynced() {
			return nil, false
		}
		objects, err := informer.GetIndexer().ByIndex(cache.NamespaceIndex, q.Namespace)
		if err != nil {
			return nil, false
		}
		p := population{resource: gr}
		for _, obj := range objects {
			if o, ok := obj.(runtime.Object); ok {
				p.objects = append(p.objects, o)
			}
		}
		all = append(all, p)
	}
	return all, true
}
