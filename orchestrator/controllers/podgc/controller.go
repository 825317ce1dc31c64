// Package podgc deletes pods that nobody else will: ended ones beyond a threshold, those of nodes that are gone or out of service, and
// terminating ones that were never placed.
//
// Pods and Nodes feed it. It owns the DisruptionTarget condition with the reason DeletionByPodGC; whoever wanted such a pod sees it go and makes
// another.
package podgc

import (
	"context"
	"encoding/json"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/component/logs"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/pods"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

const period = 20 * time.Second

// Run sweeps until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	allPods, allNodes := w.Informers.Core().V1().Pods(), w.Informers.Core().V1().Nodes()
	if !cache.WaitForCacheSync(ctx.Done(), allPods.Informer().HasSynced, allNodes.Informer().HasSynced) {
		return nil
	}
	missing := map[string]time.Time{}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		all, err := allPods.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		nodes, err := nodesOf(ctx, w, all, missing)
		if err != nil {
			w.Logger.Warn("look for nodes", "error", err)
		}
		for _, v := range sweep(all, nodes, missing, w.Settings.TerminatedPods, time.Now()) {
			if err := remove(ctx, w, v); err != nil && ctx.Err() == nil {
				w.Logger.Warn("delete pod", "pod", v.pod.Namespace+"/"+v.pod.Name, "why", v.why, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// nodesOf reads the nodes, and notes those that pods name but that do not exist: not in the cache and not live.
func nodesOf(ctx context.Context, w *world.World, all []*core.Pod, missing map[string]time.Time) (map[string]*core.Node, error) {
	list, err := w.Informers.Core().V1().Nodes().Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	nodes, named := map[string]*core.Node{}, map[string]bool{}
	for _, node := range list {
		nodes[node.Name] = node
	}
	for _, p := range all {
		name := p.Spec.NodeName
		if name == "" || nodes[name] != nil || named[name] {
			continue
		}
		named[name] = true
		if missing[name].IsZero() {
			missing[name] = time.Now()
			continue
		}
		if time.Since(missing[name]) < quarantine {
			continue
		}
		if _, err := w.Client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{}); !apierrors.IsNotFound(err) {
			delete(missing, name)
		}
	}
	for name := range missing {
		if !named[name] {
			delete(missing, name)
		}
	}
	return nodes, nil
}

// remove marks a pod that had not ended as failed, and deletes it at once.
func remove(ctx context.Context, w *world.World, v verdict) error {
	p, api := v.pod, w.Client.CoreV1().Pods(v.pod.Namespace)
	w.Logger.Log(ctx, logs.V(2), "delete pod", "pod", p.Namespace+"/"+p.Name, "why", v.why)
	if !pods.Ended(p) {
		status := map[string]any{"phase": core.PodFailed}
		if v.message != "" {
			status["conditions"] = []core.PodCondition{{
				Type: core.DisruptionTarget, Status: core.ConditionTrue, Reason: "DeletionByPodGC", Message: v.message,
				LastTransitionTime: meta.Now(), ObservedGeneration: p.Generation,
			}}
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": status})
		if err != nil {
			return err
		}
		if _, err := api.Patch(ctx, p.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status"); err != nil {
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}
	}
	now := int64(0)
	err := api.Delete(ctx, p.Name, meta.DeleteOptions{GracePeriodSeconds: &now, Preconditions: meta.NewUIDPreconditions(string(p.UID))})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
