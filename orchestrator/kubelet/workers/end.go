package workers

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// end stops a pod, shows its last status, cleans up and, when the API wants it deleted, confirms that it is.
func (w *worker) end(ctx context.Context) outcome {
	if alive := w.observed.Alive(); len(alive) > 0 || anyReady(w.observed) {
		w.publish(ctx, false, true)
		if err := w.stopAll(ctx, w.endGrace()); err != nil && ctx.Err() == nil {
			w.logger.Warn("stop", "err", err)
		}
		if ctx.Err() != nil {
			return repeat
		}
		observed, err := w.node.Runtime.Observe(ctx, string(w.pod.UID))
		if err != nil || len(observed.Alive()) > 0 {
			w.again(retry)
			return idle
		}
		w.observed = observed
		w.seen.Store(observed)
	}
	if !podinfo.Terminal(w.pod) && !w.publish(ctx, true, true) {
		return idle
	}
	w.ended = true
	w.holds.Store(false)
	return w.cleanUp(ctx)
}

func anyReady(p *runtime.Pod) bool {
	for _, s := range p.Sandboxes {
		if s.Ready {
			return true
		}
	}
	return false
}

// endGrace is what a pod may take to stop: what the deletion says, else its own. A pod that vanished from the API has no say any more.
func (w *worker) endGrace() int64 {
	switch {
	case w.hasty != nil && (w.pod.DeletionGracePeriodSeconds == nil || *w.hasty < *w.pod.DeletionGracePeriodSeconds):
		return *w.hasty
	case w.pod.DeletionGracePeriodSeconds != nil:
		return *w.pod.DeletionGracePeriodSeconds
	case w.removed && !podinfo.IsStatic(w.pod):
		return 1
	}
	return podinfo.GracePeriod(w.pod)
}

// cleanUp takes the pod's folders, groups and, once it is to be deleted, its remains in the runtime away.
func (w *worker) cleanUp(ctx context.Context) outcome {
	if err := w.node.Volumes.Teardown(w.pod.UID); err != nil {
		w.logger.Info("clean up", "err", err)
		w.again(retry)
		return idle
	}
	if err := w.node.Cgroups.Remove(w.pod.UID); err != nil {
		w.logger.Info("remove the cgroup", "err", err) // the runtime may still be about to leave it
		w.again(retry)
	}
	w.node.Objects.Register(string(w.pod.UID), nil)
	w.node.Tokens.Forget(w.pod.UID)
	w.node.Images.Forget(w.pod)
	if w.pod.DeletionTimestamp == nil && !w.removed {
		return idle // over, but people may want to read its logs
	}
	if !w.removed && !w.deleted.Load() && !w.confirm(ctx) {
		return idle
	}
	if !w.removed {
		return idle // the source will say that it is gone
	}
	if err := w.removeAll(ctx); err != nil {
		w.logger.Info("remove", "err", err)
		w.again(retry)
		return idle
	}
	if podinfo.IsStatic(w.pod) {
		if err := w.node.Mirrors.Remove(ctx, w.pod); err != nil {
			w.logger.Info("clean up", "err", err)
			w.again(retry)
			return idle
		}
	}
	w.forget()
	return over
}

// confirm tells the API that the pod is gone from this node.
func (w *worker) confirm(ctx context.Context) bool {
	now := int64(0)
	err := w.node.Client.Pods(w.pod.Namespace).Delete(ctx, w.pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(w.pod.UID)),
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		w.logger.Info("confirm the deletion", "err", err)
		w.again(retry)
		return false
	}
	w.deleted.Store(true)
	return true
}

// forget drops what was remembered and written of a pod that is gone.
func (w *worker) forget() {
	var ids []string
	for _, c := range w.observed.Containers {
		ids = append(ids, c.ID)
	}
	w.node.Probes.Forget(w.pod.UID, ids)
	w.node.crashes.Forget(string(w.pod.UID) + "/")
	if err := os.RemoveAll(runtime.LogDirectory(w.node.LogRoot, w.pod)); err != nil {
		w.logger.Info("remove the logs", "err", err)
	}
	links, err := filepath.Glob(filepath.Join(filepath.Dir(w.node.LogRoot), "containers", w.pod.Name+"_"+w.pod.Namespace+"_*.log"))
	if err != nil {
		return // the pattern is made of names without special characters
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.Contains(target, string(w.pod.UID)) {
			_ = os.Remove(link) // a dangling link harms nobody
		}
	}
}
