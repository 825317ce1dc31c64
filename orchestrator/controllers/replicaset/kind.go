package replicaset

import (
	"context"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// variant is what differs between ReplicaSets and ReplicationControllers: both are reconciled as ReplicaSets.
type variant struct {
	kind, apiVersion string
	informer         cache.SharedIndexInformer
	// get reads from the cache; original is the object that events are about.
	get func(namespace, name string) (rs *apps.ReplicaSet, original runtime.Object, err error)
	// read and write are the apiserver's: write stores a status.
	read  func(ctx context.Context, namespace, name string) (meta.Object, error)
	write func(ctx context.Context, rs *apps.ReplicaSet) (*apps.ReplicaSet, error)
}

func sets(w *world.World) variant {
	informer, api := w.Informers.Apps().V1().ReplicaSets(), w.Client.AppsV1()
	return variant{
		kind: "ReplicaSet", apiVersion: "apps/v1", informer: informer.Informer(),
		get: func(namespace, name string) (*apps.ReplicaSet, runtime.Object, error) {
			rs, err := informer.Lister().ReplicaSets(namespace).Get(name)
			return rs, rs, err
		},
		read: func(ctx context.Context, namespace, name string) (meta.Object, error) {
			return api.ReplicaSets(namespace).Get(ctx, name, meta.GetOptions{})
		},
		write: func(ctx context.Context, rs *apps.ReplicaSet) (*apps.ReplicaSet, error) {
			return api.ReplicaSets(rs.Namespace).UpdateStatus(ctx, rs, meta.UpdateOptions{})
		},
	}
}

func replicationControllers(w *world.World) variant {
	informer, api := w.Informers.Core().V1().ReplicationControllers(), w.Client.CoreV1()
	return variant{
		kind: "ReplicationController", apiVersion: "v1", informer: informer.Informer(),
		get: func(namespace, name string) (*apps.ReplicaSet, runtime.Object, error) {
			rc, err := informer.Lister().ReplicationControllers(namespace).Get(name)
			if err != nil {
				return nil, nil, err
			}
			return asSet(rc), rc, nil
		},
		read: func(ctx context.Context, namespace, name string) (meta.Object, error) {
			return api.ReplicationControllers(namespace).Get(ctx, name, meta.GetOptions{})
		},
		write: func(ctx context.Context, rs *apps.ReplicaSet) (*apps.ReplicaSet, error) {
			rc := &core.ReplicationController{ObjectMeta: rs.ObjectMeta, Spec: core.ReplicationControllerSpec{
				Replicas: rs.Spec.Replicas, MinReadySeconds: rs.Spec.MinReadySeconds, Selector: rs.Spec.Selector.MatchLabels, Template: &rs.Spec.Template,
			}}
			s := rs.Status
			rc.Status = core.ReplicationControllerStatus{
				Replicas: s.Replicas, FullyLabeledReplicas: s.FullyLabeledReplicas, ReadyReplicas: s.ReadyReplicas,
				AvailableReplicas: s.AvailableReplicas, ObservedGeneration: s.ObservedGeneration,
			}
			for _, c := range s.Conditions {
				rc.Status.Conditions = append(rc.Status.Conditions, core.ReplicationControllerCondition{
					Type: core.ReplicationControllerConditionType(c.Type), Status: c.Status, Reason: c.Reason, Message: c.Message, LastTransitionTime: c.LastTransitionTime,
				})
			}
			rc, err := api.ReplicationControllers(rs.Namespace).UpdateStatus(ctx, rc, meta.UpdateOptions{})
			if err != nil {
				return nil, err
			}
			return asSet(rc), nil
		},
	}
}

// asSet reads a ReplicationController as a ReplicaSet.
func asSet(rc *core.ReplicationController) *apps.ReplicaSet {
	rs := &apps.ReplicaSet{ObjectMeta: rc.ObjectMeta, Spec: apps.ReplicaSetSpec{
		Replicas: rc.Spec.Replicas, MinReadySeconds: rc.Spec.MinReadySeconds, Selector: &meta.LabelSelector{MatchLabels: rc.Spec.Selector},
	}}
	if rc.Spec.Template != nil {
		rs.Spec.Template = *rc.Spec.Template
	}
	s := rc.Status
	rs.Status = apps.ReplicaSetStatus{
		Replicas: s.Replicas, FullyLabeledReplicas: s.FullyLabeledReplicas, ReadyReplicas: s.ReadyReplicas,
		AvailableReplicas: s.AvailableReplicas, ObservedGeneration: s.ObservedGeneration,
	}
	for _, c := range s.Conditions {
		rs.Status.Conditions = append(rs.Status.Conditions, apps.ReplicaSetCondition{
			Type: apps.ReplicaSetConditionType(c.Type), Status: c.Status, Reason: c.Reason, Message: c.Message, LastTransitionTime: c.LastTransitionTime,
		})
	}
	return rs
}
