package proxy

import "github.com/plumb-k8s/plumb/orchestrator/component/kindfile"

// configuration is KubeProxyConfiguration as this proxy takes it.
var configuration = kindfile.Kind{
	APIVersion: "kubeproxy.config.k8s.io/v1alpha1", Kind: "KubeProxyConfiguration",
	Honoured: []string{
		"apiVersion", "kind", "clientConnection.kubeconfig", "hostnameOverride", "bindAddress", "healthzBindAddress", "metricsBindAddress",
		"bindAddressHardFail", "logging.format", "logging.verbosity", "nftables.masqueradeBit", "nftables.masqueradeAll", "nftables.syncPeriod",
		"iptables.masqueradeBit", "iptables.masqueradeAll", "iptables.syncPeriod", "detectLocalMode", "detectLocal", "clusterCIDR", "nodePortAddresses",
		"oomScoreAdj", "conntrack",
	},
	Bounds: []kindfile.Bound{
		{Field: "mode", Takes: []string{`"nftables"`, `"iptables"`}, Why: "the packet filter is nftables; say nftables"},
		{Field: "featureGates", Why: "this proxy has no feature gates; leave it out"},
		{Field: "enableProfiling", Why: "no profiles are served; leave it out"},
		{Field: "showHiddenMetricsForVersion", Why: "no metric is hidden; leave it out"},
		{Field: "clientConnection.acceptContentTypes", Takes: []string{kindfile.Anything}, Why: "the client speaks protobuf where the kind allows it"},
		{Field: "clientConnection.contentType", Takes: []string{kindfile.Anything}, Why: "the client speaks protobuf where the kind allows it"},
		{Field: "clientConnection.qps", Takes: []string{kindfile.Anything}, Why: "requests are not limited here: fairness is the server's job"},
		{Field: "clientConnection.burst", Takes: []string{kindfile.Anything}, Why: "requests are not limited here: fairness is the server's job"},
		{Field: "logging.flushFrequency", Takes: []string{kindfile.Anything}, Why: "lines are written at once"},
		{Field: "logging.options.text.infoBufferSize", Takes: []string{kindfile.Anything}, Why: "lines are written at once"},
		{Field: "logging.options.json.infoBufferSize", Takes: []string{kindfile.Anything}, Why: "lines are written at once"},
		{Field: "logging.options.text.splitStream", Why: "the log is one stream; leave it out"},
		{Field: "logging.options.json.splitStream", Why: "the log is one stream; leave it out"},
		{Field: "logging.vmodule", Why: "all files log alike; say verbosity"},
		{Field: "nftables.minSyncPeriod", Takes: []string{kindfile.Anything}, Why: "a change costs what changed, so that waiting for others gains nothing"},
		{Field: "iptables.minSyncPeriod", Takes: []string{kindfile.Anything}, Why: "a change costs what changed, so that waiting for others gains nothing"},
		{Field: "iptables.localhostNodePorts", Takes: []string{kindfile.Anything}, Why: "it is on in stock's default file, and no mode but iptables has it"},
		{Field: "ipvs", Takes: []string{kindfile.Anything}, Why: "it is for mode ipvs, which is refused"},
		{Field: "winkernel", Takes: []string{kindfile.Anything}, Why: "it is for Windows"},
		{Field: "windowsRunAsService", Takes: []string{kindfile.Anything}, Why: "it is for Windows"},
		{Field: "configSyncPeriod", Takes: []string{kindfile.Anything}, Why: "every change is watched: there is nothing to read again"},
		{Field: "portRange", Takes: []string{kindfile.Anything}, Why: "no mode heeds it"},
	},
}
