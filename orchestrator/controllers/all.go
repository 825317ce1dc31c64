package controllers

import (
	"context"

	"github.com/plumb-k8s/plumb/orchestrator/controllers/aggregation"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/cronjob"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/daemonset"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/deployment"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/disruption"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpoints"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/endpointslice"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/garbage"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/inuse"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/job"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/mirroring"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/namespace"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/nodeipam"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/nodelifecycle"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/podgc"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/replicaset"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/resourcequota"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/rootca"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/serviceaccount"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/servicecidr"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/statefulset"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/tainteviction"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/ttl"
	"github.com/plumb-k8s/plumb/orchestrator/controllers/world"
)

// controller is one entry of the list.
type controller struct {
	// name and alias are stock's, for --controllers.
	name, alias string
	// account is the service account that it writes as.
	account string
	// off: it runs only when it is named.
	off bool
	run func(context.Context, *world.World) error
}

// all controllers, in the order of the life of what they make.
var all = []controller{
	{name: "namespace-controller", alias: "namespace", account: "namespace-controller", run: namespace.Run},
	{name: "serviceaccount-controller", alias: "serviceaccount", account: "service-account-controller", run: serviceaccount.Run},
	{name: "root-ca-certificate-publisher-controller", alias: "root-ca-cert-publisher", account: "root-ca-cert-publisher", run: rootca.Run},
	{name: "node-ipam-controller", alias: "nodeipam", account: "node-controller", run: nodeipam.Run},
	{name: "node-lifecycle-controller", alias: "nodelifecycle", account: "node-controller", run: nodelifecycle.Run},
	{name: "taint-eviction-controller", alias: "taint-eviction-controller", account: "node-controller", run: tainteviction.Run},
	{name: "daemonset-controller", alias: "daemonset", account: "daemon-set-controller", run: daemonset.Run},
	{name: "deployment-controller", alias: "deployment", account: "deployment-controller", run: deployment.Run},
	{name: "replicaset-controller", alias: "replicaset", account: "replicaset-controller", run: replicaset.Run},
	{name: "replicationcontroller-controller", alias: "replicationcontroller", account: "replication-controller", run: replicaset.RunReplicationControllers},
	{name: "statefulset-controller", alias: "statefulset", account: "statefulset-controller", run: statefulset.Run},
	{name: "job-controller", alias: "job", account: "job-controller", run: job.Run},
	{name: "cronjob-controller", alias: "cronjob", account: "cronjob-controller", run: cronjob.Run},
	{name: "ttl-after-finished-controller", alias: "ttl-after-finished", account: "ttl-after-finished-controller", run: ttl.Run},
	{name: "endpoints-controller", alias: "endpoint", account: "endpoint-controller", run: endpoints.Run},
	{name: "endpointslice-controller", alias: "endpointslice", account: "endpointslice-controller", run: endpointslice.Run},
	{name: "endpointslice-mirroring-controller", alias: "endpointslicemirroring", account: "endpointslicemirroring-controller", run: mirroring.Run},
	{name: "service-cidr-controller", alias: "service-cidr-controller", account: "service-cidrs-controller", run: servicecidr.Run},
	{name: "disruption-controller", alias: "disruption", account: "disruption-controller", run: disruption.Run},
	{name: "pod-garbage-collector-controller", alias: "podgc", account: "pod-garbage-collector", run: podgc.Run},
	{name: "resourcequota-controller", alias: "resourcequota", account: "resourcequota-controller", run: resourcequota.Run},
	{name: "persistentvolumeclaim-protection-controller", alias: "pvc-protection", account: "pvc-protection-controller", run: inuse.RunClaims},
	{name: "persistentvolume-protection-controller", alias: "pv-protection", account: "pv-protection-controller", run: inuse.RunVolumes},
	{name: "clusterrole-aggregation-controller", alias: "clusterrole-aggregation", account: "clusterrole-aggregation-controller", run: aggregation.Run},
	{name: "garbage-collector-controller", alias: "garbagecollector", account: "generic-garbage-collector", run: garbage.Run},
}
