package scheduler

import "github.com/plumb-k8s/plumb/orchestrator/component/kindfile"

const leaveOut = "; leave it out"

// configuration is KubeSchedulerConfiguration as this scheduler takes it.
var configuration = kindfile.Kind{
	APIVersion: "kubescheduler.config.k8s.io/v1", Kind: "KubeSchedulerConfiguration",
	Honoured: []string{
		"apiVersion", "kind", "clientConnection.kubeconfig", "podInitialBackoffSeconds", "podMaxBackoffSeconds", "profiles[].schedulerName",
		"leaderElection.leaderElect", "leaderElection.leaseDuration", "leaderElection.renewDeadline", "leaderElection.retryPeriod",
		"leaderElection.resourceName", "leaderElection.resourceNamespace",
	},
	Bounds: append([]kindfile.Bound{
		{Field: "leaderElection.resourceLock", Takes: []string{`"leases"`}, Why: "leaders are elected by Leases only; say leases"},
		{Field: "clientConnection.acceptContentTypes", Takes: []string{kindfile.Anything}, Why: "the client speaks protobuf where the kind allows it"},
		{Field: "clientConnection.contentType", Takes: []string{kindfile.Anything}, Why: "the client speaks protobuf where the kind allows it"},
		{Field: "clientConnection.qps", Takes: []string{kindfile.Anything}, Why: "requests are not limited here: fairness is the server's job"},
		{Field: "clientConnection.burst", Takes: []string{kindfile.Anything}, Why: "requests are not limited here: fairness is the server's job"},
		{Field: "enableProfiling", Takes: []string{kindfile.Anything}, Why: "it is on in stock's default file, and no profiles are served"},
		{Field: "enableContentionProfiling", Takes: []string{kindfile.Anything}, Why: "it is on in stock's default file, and no profiles are served"},
		{Field: "parallelism", Takes: []string{kindfile.Anything}, Why: "it decides nothing but how many goroutines look at nodes, and here one does"},
		{Field: "delayCacheUntilActive", Takes: []string{kindfile.Anything}, Why: "a standby's picture is kept up to date, so that it takes over sooner"},
		{Field: "percentageOfNodesToScore", Takes: []string{"100"}, Why: "every node is looked at; say 100, or leave it out"},
		{Field: "profiles[].percentageOfNodesToScore", Takes: []string{"100"}, Why: "every node is looked at; say 100, or leave it out"},
		{Field: "profiles[].pluginConfig[].name", Takes: []string{kindfile.Anything}, Why: "what counts is args"},
		{Field: "profiles[].pluginConfig[].args", Takes: defaultArgs, Why: "plugins have stock's default arguments" + leaveOut},
		{Field: "profiles[].plugins.multiPoint.enabled", Takes: []string{defaultPlugins}, Why: "stock's default plugins are enabled, and no others" + leaveOut},
		{Field: "profiles[].plugins.multiPoint.disabled", Why: "stock's default plugins are enabled, and no others" + leaveOut},
		{Field: "extenders", Why: "extenders are not asked" + leaveOut},
	}, pluginSets()...),
}

// pluginSets are the extension points that may name plugins one by one.
func pluginSets() []kindfile.Bound {
	var out []kindfile.Bound
	for _, point := range []string{
		"preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit", "preBind", "bind", "postBind",
		"placementGenerate", "placementScore", "podGroupPostFilter",
	} {
		out = append(out, kindfile.Bound{Field: "profiles[].plugins." + point, Why: "stock's default plugins are enabled, and no others" + leaveOut})
	}
	return out
}

// defaultArgs are what stock's default file says of plugins: what the built-in rules do.
var defaultArgs = []string{
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"DefaultPreemptionArgs","minCandidateNodesAbsolute":100,"minCandidateNodesPercentage":10}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","bindingTimeout":"10m0s","filterTimeout":"10s","kind":"DynamicResourcesArgs"}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","hardPodAffinityWeight":1,"ignorePreferredTermsOfExistingPods":false,"kind":"InterPodAffinityArgs"}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"NodeAffinityArgs"}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"NodeResourcesBalancedAllocationArgs","resources":[{"name":"cpu","weight":1},{"name":"memory","weight":1}]}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"NodeResourcesFitArgs","scoringStrategy":{"resources":[{"name":"cpu","weight":1},{"name":"memory","weight":1}],"type":"LeastAllocated"}}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","defaultingType":"System","kind":"PodTopologySpreadArgs"}`,
	`{"apiVersion":"kubescheduler.config.k8s.io/v1","bindTimeoutSeconds":600,"kind":"VolumeBindingArgs","shape":[{"score":10,"utilization":0},{"score":0,"utilization":100}]}`,
}

// defaultPlugins are those of stock's default file.
const defaultPlugins = `[{"name":"SchedulingGates","weight":0},` +
	`{"name":"PrioritySort","weight":0},` +
	`{"name":"NodeName","weight":0},` +
	`{"name":"NodeUnschedulable","weight":0},` +
	`{"name":"TaintToleration","weight":3},` +
	`{"name":"NodeAffinity","weight":2},` +
	`{"name":"NodePorts","weight":0},` +
	`{"name":"NodeResourcesFit","weight":1},` +
	`{"name":"VolumeRestrictions","weight":0},` +
	`{"name":"NodeVolumeLimits","weight":0},` +
	`{"name":"VolumeBinding","weight":0},` +
	`{"name":"VolumeZone","weight":0},` +
	`{"name":"PodTopologySpread","weight":2},` +
	`{"name":"InterPodAffinity","weight":2},` +
	`{"name":"DynamicResources","weight":2},` +
	`{"name":"DefaultPreemption","weight":0},` +
	`{"name":"NodeResourcesBalancedAllocation","weight":1},` +
	`{"name":"ImageLocality","weight":1},` +
	`{"name":"DefaultBinder","weight":0},` +
	`{"name":"NodeDeclaredFeatures","weight":0}]`
