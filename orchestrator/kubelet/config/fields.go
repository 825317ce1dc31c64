package config

// Every field of a KubeletConfiguration stands in one of two lists: this kubelet does what it says, or takes only the values that say what it does
// anyway and refuses the others at its start. A field that was silently ignored would be a promise to whoever wrote it.

// honoured fields, by their path in the file.
var honoured = []string{
	// The server.
	"enableServer", "address", "port", "tlsCertFile", "tlsPrivateKeyFile", "tlsCipherSuites", "tlsCurvePreferences", "tlsMinVersion", "healthzPort",
	"healthzBindAddress", "enableDebuggingHandlers", "enableContentionProfiling", "enableSystemLogHandler", "enableProfilingHandler",
	"enableDebugFlagsHandler", "authentication.x509.clientCAFile", "authentication.webhook.enabled", "authentication.webhook.cacheTTL",
	"authentication.anonymous.enabled", "authorization.mode", "authorization.webhook.cacheAuthorizedTTL", "authorization.webhook.cacheUnauthorizedTTL",
	// The API. Rates of requests, events and pulls are limits only where they are written: fairness is the server's job.
	"contentType", "kubeAPIQPS", "kubeAPIBurst", "eventRecordQPS", "eventBurst", "rotateCertificates", "registerNode", "registerWithTaints", "providerID",
	"nodeStatusUpdateFrequency", "nodeStatusReportFrequency", "nodeStatusMaxImages", "nodeLeaseDurationSeconds",
	// The process and its machine.
	"oomScoreAdj", "maxOpenFiles", "protectKernelDefaults", "failSwapOn", "failCgroupV1", "logging.format", "logging.verbosity",
	// Pods and what they may take.
	"staticPodPath", "fileCheckFrequency", "syncFrequency", "maxPods", "podsPerCore", "podPidsLimit", "cpuCFSQuota", "cgroupRoot", "singleProcessOOMKill", "systemReserved",
	"kubeReserved", "seccompDefault", "allowedUnsafeSysctls", "defaultPodSysctls", "clusterDomain", "clusterDNS", "resolvConf",
	// The runtime, images and logs.
	"containerRuntimeEndpoint", "imageServiceEndpoint", "runtimeRequestTimeout", "registryPullQPS", "registryBurst", "serializeImagePulls",
	"maxParallelImagePulls", "imageMinimumGCAge", "imageMaximumGCAge", "imageGCHighThresholdPercent", "imageGCLowThresholdPercent", "podLogsDir",
	"containerLogMaxSize", "containerLogMaxFiles", "containerLogMaxWorkers", "containerLogMonitorInterval",
	// Eviction.
	"evictionHard", "evictionSoft", "evictionSoftGracePeriod", "evictionPressureTransitionPeriod", "evictionMaxPodGracePeriod", "evictionMinimumReclaim",
	"mergeDefaultEvictionSettings", "volumeStatsAggPeriod",
}

// bound is a field of which only some values are taken.
type bound struct {
	field string
	// takes are the values that say what this kubelet does, as JSON. A field that is left out is always taken.
	takes []string
	// why others are not, and what to do.
	why string
}

// anything is taken where the field says nothing to any kubelet, or nothing without another field that is refused.
const anything = "*"

const leaveOut = "; leave it out"

var bounds = []bound{
	{"staticPodURL", nil, "static pods are read from files only; write them below staticPodPath"},
	{"staticPodURLHeader", nil, "static pods are read from files only; write them below staticPodPath"},
	{"httpCheckFrequency", []string{anything}, ""},
	{"readOnlyPort", nil, "nothing is served without authentication; ask port with a token"},
	{"serverTLSBootstrap", nil, "the serving certificate is not asked for from the API; give tlsCertFile and tlsPrivateKeyFile, or leave it out for a self-signed one"},
	{"imagePullCredentialsVerificationPolicy", []string{`"NeverVerify"`}, "who pulled an image is not remembered; say NeverVerify, and imagePullPolicy Always where it matters"},
	{"preloadedImagesVerificationAllowlist", nil, "who pulled an image is not remembered" + leaveOut},
	{"streamingConnectionIdleTimeout", []string{anything}, ""},
	{"kubeletCgroups", nil, "the kubelet stays in the group that it was started in" + leaveOut},
	{"systemCgroups", nil, "the machine's processes stay in their groups" + leaveOut},
	{"cgroupsPerQOS", []string{"true"}, "pods always have groups by their QoS class" + leaveOut},
	// The runtime says which driver it has, and that counts; only one that does not say is believed to have this one.
	{"cgroupDriver", []string{`"cgroupfs"`, `"systemd"`}, "it must be cgroupfs or systemd, and the runtime's"},
	{"cpuManagerPolicy", []string{`"none"`}, "containers share all CPUs; say none, or leave it out"},
	{"cpuManagerPolicyOptions", nil, "containers share all CPUs" + leaveOut},
	{"cpuManagerReconcilePeriod", []string{anything}, ""},
	{"memoryManagerPolicy", []string{`"None"`, `"none"`}, "memory is not tied to NUMA nodes; say None, or leave it out"},
	{"reservedMemory", nil, "memory is not tied to NUMA nodes; say systemReserved"},
	{"topologyManagerPolicy", []string{`"none"`}, "NUMA nodes are not looked at; say none, or leave it out"},
	{"topologyManagerScope", []string{anything}, ""},
	{"topologyManagerPolicyOptions", nil, "NUMA nodes are not looked at" + leaveOut},
	{"qosReserved", nil, "no memory is kept for one QoS class; say systemReserved"},
	{"hairpinMode", []string{`"promiscuous-bridge"`, `"hairpin-veth"`, `"none"`}, "it must be promiscuous-bridge, hairpin-veth or none, and is the CNI plugin's to do"},
	{"podCIDR", nil, "pods' addresses come from the Node that the cluster gave" + leaveOut},
	{"runOnce", nil, "the kubelet runs until it is stopped" + leaveOut},
	{"cpuCFSQuotaPeriod", []string{`"100ms"`}, "CPU limits count per 100ms" + leaveOut},
	{"enableControllerAttachDetach", []string{"true"}, "volumes are attached by the controller only" + leaveOut},
	{"makeIPTablesUtilChains", []string{anything}, ""}, // hints for programs of the node that use iptables: those find no hint of anybody
	{"iptablesMasqueradeBit", []string{anything}, ""},
	{"iptablesDropBit", []string{anything}, ""},
	{"featureGates", []string{`{"AllAlpha":false}`}, "this kubelet has no feature gates: what it can do is on" + leaveOut},
	{"memorySwap.swapBehavior", []string{`"NoSwap"`}, "containers get no swap; say NoSwap, or leave it out"},
	{"configMapAndSecretChangeDetectionStrategy", []string{`"Watch"`}, "ConfigMaps and Secrets are watched; say Watch, or leave it out"},
	{"reservedSystemCPUs", nil, "containers share all CPUs; say how many to keep in systemReserved"},
	{"showHiddenMetricsForVersion", nil, "no metric is hidden" + leaveOut},
	{"systemReservedCgroup", nil, "reservations are enforced on pods only" + leaveOut},
	{"kubeReservedCgroup", nil, "reservations are enforced on pods only" + leaveOut},
	{"enforceNodeAllocatable", []string{`["pods"]`, `["none"]`}, "reservations are enforced on pods only; say [pods] or [none]"},
	{"volumePluginDir", []string{`"` + volumePlugins + `"`}, "there are no Flexvolumes" + leaveOut},
	{"kernelMemcgNotification", nil, "memory is looked at every ten seconds" + leaveOut},
	{"logging.flushFrequency", []string{anything}, ""}, // nothing is held back
	{"logging.vmodule", nil, "one verbosity is for all; say logging.verbosity"},
	{"logging.options.text.splitStream", nil, "all goes to standard error" + leaveOut},
	{"logging.options.text.infoBufferSize", nil, "nothing is held back" + leaveOut},
	{"logging.options.json.splitStream", nil, "all goes to standard error" + leaveOut},
	{"logging.options.json.infoBufferSize", nil, "nothing is held back" + leaveOut},
	{"enableSystemLogQuery", []string{"false"}, "the journal is not asked; read files at /logs/"},
	{"shutdownGracePeriod", nil, "a shutdown of the machine is not delayed; drain the node before it"},
	{"shutdownGracePeriodCriticalPods", nil, "a shutdown of the machine is not delayed; drain the node before it"},
	{"shutdownGracePeriodByPodPriority", nil, "a shutdown of the machine is not delayed; drain the node before it"},
	{"crashLoopBackOff.maxContainerRestartPeriod", []string{`"5m0s"`}, "the longest back-off is five minutes" + leaveOut},
	{"memoryThrottlingFactor", nil, "memory.high is not set" + leaveOut},
	{"memoryReservationPolicy", []string{`"None"`}, "memory.min is not set; say None, or leave it out"},
	{"tracing.endpoint", nil, "no traces are sent" + leaveOut},
	{"tracing.samplingRatePerMillion", []string{"0"}, "no traces are sent" + leaveOut},
	{"localStorageCapacityIsolation", []string{"true"}, "local storage is always measured and limited" + leaveOut},
	{"userNamespaces.idsPerPod", []string{"65536"}, "pods with a user namespace of their own are refused" + leaveOut},
}
