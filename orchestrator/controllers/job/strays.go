package job

import (
	"context"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
)

// strays returns the loop that frees pods which wait for a Job that will never count them: it is gone, or they are no longer its own.
func (c *controller) strays(ctx context.Context) *loop.Loop {
	l := loop.New(ctx, 2, c.Logger, c.free)
	loop.On(l, c.Informers.Core().V1().Pods().Informer(), func(_, new *core.Pod) {
		if new != nil && tracked(new) && c.stray(new) {
			l.Add(loop.Key(new))
		}
	})
	loop.On(l, c.Informers.Batch().V1().Jobs().Informer(), func(old, new *batch.Job) {
		if new != nil {
			return
		}
		for _, p := range c.podsOf(old) {
			if tracked(p) {
				l.Add(loop.Key(p))
			}
		}
	})
	return l
}

// stray is true for a pod whose Job the cache does not show.
func (c *controller) stray(p *core.Pod) bool {
	ref := meta.GetControllerOfNoCopy(p)
	if ref == nil {
		return true
	}
	if ref.Kind != "Job" {
		return false
	}
	j, err := c.Informers.Batch().V1().Jobs().Lister().Jobs(p.Namespace).Get(ref.Name)
	return err != nil || j.UID != ref.UID
}

func (c *controller) free(ctx context.Context, key string) error {
	namespace, name := loop.Split(key)
	p, err := c.Informers.Core().V1().Pods().Lister().Pods(namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && (!tracked(p) || !c.stray(p)) {
		return nil
	}
	if err != nil {
		return err
	}
	if ref := meta.GetControllerOfNoCopy(p); ref != nil {
		// The cache of Jobs may lag behind that of Pods.
		j, err := c.Client.BatchV1().Jobs(namespace).Get(ctx, ref.Name, meta.GetOptions{})
		if err == nil && j.UID == ref.UID {
			return nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return c.release(ctx, "", []*core.Pod{p})
}
