// Package tainteviction deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer do.
//
// It owns the DisruptionTarget condition with the reason DeletionByTaintManager. Nodes' taints feed it; package nodelifecycle writes the most of them.
package tainteviction

import (
	"context"
	"encoding/json"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/loop"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// Run evicts until ctx ends.
func Run(ctx context.Context, w *world.World) error {
	l, s := &loop.Loop{}, &seen{}
	l = loop.New(ctx, 8, w.Logger, func(ctx context.Context, key string) error { return look(ctx, w, l, s, key) })
	loop.On(l, w.Informers.Core().V1().Pods().Informer(), func(old, new *core.Pod) {
		if new == nil || new.Spec.NodeName == "" || old != nil && old.Spec.NodeName == new.Spec.NodeName && equality.Semantic.DeepEqual(old.Spec.Tolerations, new.Spec.Tolerations) {
			return
		}
		l.Add(loop.Key(new))
	})
	loop.On(l, w.Informers.Core().V1().Nodes().Informer(), func(old, new *core.Node) {
		if new == nil {
			s.note(&core.Node{ObjectMeta: meta.ObjectMeta{Name: old.Name}}, time.Now())
			return
		}
		if old != nil && equality.Semantic.DeepEqual(old.Spec.Taints, new.Spec.Taints) || old == nil && len(new.Spec.Taints) == 0 {
			return
		}
		s.note(new, time.Now())
		all, err := w.Informers.Core().V1().Pods().Lister().List(labels.Everything())
		if err != nil {
			return
		}
		for _, p := range all {
			if p.Spec.NodeName == new.Name {
				l.Add(loop.Key(p))
			}
		}
	})
	return l.Run(ctx)
}

func look(ctx context.Context, w *world.World, l *loop.Loop, s *seen, key string) error {
	namespace, name := loop.Split(key)
	p, err := w.Informers.Core().V1().Pods().Lister().Pods(namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && p.DeletionTimestamp != nil {
		return nil
	}
	if err != nil {
		return err
	}
	node, err := w.Informers.Core().V1().Nodes().Lister().Get(p.Spec.NodeName)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	s.note(node, time.Now())
	until, forever := stay(p, node.Spec.Taints, s.on(node.Name))
	if forever {
		return nil
	}
	if left := time.Until(until); left > 0 {
		l.After(key, left) // the taint may be gone by then: it is looked at anew
		return nil
	}
	return evict(ctx, w, p)
}

func evict(ctx context.Context, w *world.World, p *core.Pod) error {
	w.Events.Event(p, core.EventTypeNormal, "TaintManagerEviction", "Marking for deletion Pod "+p.Namespace+"/"+p.Name)
	condition := core.PodCondition{
		Type: core.DisruptionTarget, Status: core.ConditionTrue, Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint",
		LastTransitionTime: meta.Now(), ObservedGeneration: p.Generation,
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": map[string]any{"conditions": []core.PodCondition{condition}}})
	if err != nil {
		return err
	}
	pods := w.Client.CoreV1().Pods(p.Namespace)
	_, err = pods.Patch(ctx, p.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
	if err == nil {
		err = pods.Delete(ctx, p.Name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(p.UID))})
	}
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, and the name may be another's by now
	}
	return err
}
