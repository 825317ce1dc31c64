// Package api is the catalogue of every kind that the apiserver serves, each described once.
//
// All is the one list; a new kind is one file in its group's folder and one line here. The apiserver reads the list and derives routes,
// discovery, OpenAPI, tables and write rules from it. Pure: no I/O, no goroutines; it imports nothing of ours but its own folders.
package api

import (
	"github.com/plumb-k8s/plumb/orchestrator/api/apps"
	"github.com/plumb-k8s/plumb/orchestrator/api/batch"
	"github.com/plumb-k8s/plumb/orchestrator/api/coordination"
	"github.com/plumb-k8s/plumb/orchestrator/api/core"
	"github.com/plumb-k8s/plumb/orchestrator/api/discovery"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/networking"
	"github.com/plumb-k8s/plumb/orchestrator/api/node"
	"github.com/plumb-k8s/plumb/orchestrator/api/policy"
	"github.com/plumb-k8s/plumb/orchestrator/api/rbac"
	"github.com/plumb-k8s/plumb/orchestrator/api/review"
	"github.com/plumb-k8s/plumb/orchestrator/api/scheduling"
	"github.com/plumb-k8s/plumb/orchestrator/api/storage"
)

// All returns every kind, in the order of discovery: the core group first, then groups by priority.
func All() []kind.Kind {
	return []kind.Kind{
		core.Binding(),
		core.ConfigMap(),
		core.Endpoints(),
		core.Event(),
		core.LimitRange(),
		core.Namespace(),
		core.Node(),
		core.PersistentVolumeClaim(),
		core.PersistentVolume(),
		core.Pod(),
		core.PodTemplate(),
		core.ReplicationController(),
		core.ResourceQuota(),
		core.Secret(),
		core.ServiceAccount(),
		core.Service(),
		apps.ControllerRevision(),
		apps.DaemonSet(),
		apps.Deployment(),
		apps.ReplicaSet(),
		apps.StatefulSet(),
		core.EventOfGroup(),
		review.SelfSubjectReview(),
		review.TokenReview(),
		review.LocalSubjectAccessReview(),
		review.SelfSubjectAccessReview(),
		review.SelfSubjectRulesReview(),
		review.SubjectAccessReview(),
		batch.CronJob(),
		batch.Job(),
		networking.IngressClass(),
		networking.Ingress(),
		networking.IPAddress(),
		networking.NetworkPolicy(),
		networking.ServiceCIDR(),
		policy.PodDisruptionBudget(),
		rbac.ClusterRoleBinding(),
		rbac.ClusterRole(),
		rbac.RoleBinding(),
		rbac.Role(),
		storage.CSIDriver(),
		storage.CSINode(),
		storage.CSIStorageCapacity(),
		storage.StorageClass(),
		storage.VolumeAttachment(),
		scheduling.PriorityClass(),
		coordination.Lease(),
		node.RuntimeClass(),
		discovery.EndpointSlice(),
	}
}
