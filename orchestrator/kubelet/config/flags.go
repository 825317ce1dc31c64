package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// flagFields are stock's flags that say what a field of the file says, over it.
var flagFields = map[string]string{
	"address": "address", "allowed-unsafe-sysctls": "allowedUnsafeSysctls", "anonymous-auth": "authentication.anonymous.enabled",
	"authentication-token-webhook": "authentication.webhook.enabled", "authentication-token-webhook-cache-ttl": "authentication.webhook.cacheTTL",
	"authorization-mode": "authorization.mode", "authorization-webhook-cache-authorized-ttl": "authorization.webhook.cacheAuthorizedTTL",
	"authorization-webhook-cache-unauthorized-ttl": "authorization.webhook.cacheUnauthorizedTTL", "cgroup-driver": "cgroupDriver", "cgroup-root": "cgroupRoot",
	"cgroups-per-qos": "cgroupsPerQOS", "client-ca-file": "authentication.x509.clientCAFile", "cluster-dns": "clusterDNS", "cluster-domain": "clusterDomain",
	"container-log-max-files": "containerLogMaxFiles", "container-log-max-size": "containerLogMaxSize", "container-runtime-endpoint": "containerRuntimeEndpoint",
	"contention-profiling": "enableContentionProfiling", "cpu-cfs-quota": "cpuCFSQuota", "cpu-cfs-quota-period": "cpuCFSQuotaPeriod",
	"cpu-manager-policy": "cpuManagerPolicy", "cpu-manager-policy-options": "cpuManagerPolicyOptions", "cpu-manager-reconcile-period": "cpuManagerReconcilePeriod",
	"enable-controller-attach-detach": "enableControllerAttachDetach", "enable-debugging-handlers": "enableDebuggingHandlers", "enable-server": "enableServer",
	"enforce-node-allocatable": "enforceNodeAllocatable", "event-burst": "eventBurst", "event-qps": "eventRecordQPS", "eviction-hard": "evictionHard",
	"eviction-max-pod-grace-period": "evictionMaxPodGracePeriod", "eviction-minimum-reclaim": "evictionMinimumReclaim",
	"eviction-pressure-transition-period": "evictionPressureTransitionPeriod", "eviction-soft": "evictionSoft", "eviction-soft-grace-period": "evictionSoftGracePeriod",
	"fail-cgroupv1": "failCgroupV1", "fail-swap-on": "failSwapOn", "feature-gates": "featureGates", "file-check-frequency": "fileCheckFrequency",
	"hairpin-mode": "hairpinMode", "healthz-bind-address": "healthzBindAddress", "healthz-port": "healthzPort", "http-check-frequency": "httpCheckFrequency",
	"image-gc-high-threshold": "imageGCHighThresholdPercent", "image-gc-low-threshold": "imageGCLowThresholdPercent", "image-service-endpoint": "imageServiceEndpoint",
	"kernel-memcg-notification": "kernelMemcgNotification", "kube-api-burst": "kubeAPIBurst", "kube-api-content-type": "contentType", "kube-api-qps": "kubeAPIQPS",
	"kube-reserved": "kubeReserved", "kube-reserved-cgroup": "kubeReservedCgroup", "kubelet-cgroups": "kubeletCgroups",
	"local-storage-capacity-isolation": "localStorageCapacityIsolation", "log-flush-frequency": "logging.flushFrequency",
	"log-json-info-buffer-size": "logging.options.json.infoBufferSize", "log-json-split-stream": "logging.options.json.splitStream",
	"log-text-info-buffer-size": "logging.options.text.infoBufferSize", "log-text-split-stream": "logging.options.text.splitStream",
	"make-iptables-util-chains": "makeIPTablesUtilChains", "manifest-url": "staticPodURL", "manifest-url-header": "staticPodURLHeader",
	"max-open-files": "maxOpenFiles", "max-pods": "maxPods", "memory-manager-policy": "memoryManagerPolicy", "minimum-image-ttl-duration": "imageMinimumGCAge",
	"node-status-max-images": "nodeStatusMaxImages", "node-status-update-frequency": "nodeStatusUpdateFrequency", "oom-score-adj": "oomScoreAdj",
	"pod-cidr": "podCIDR", "pod-manifest-path": "staticPodPath", "pod-max-pids": "podPidsLimit", "pods-per-core": "podsPerCore", "port": "port",
	"protect-kernel-defaults": "protectKernelDefaults", "provider-id": "providerID", "qos-reserved": "qosReserved", "read-only-port": "readOnlyPort",
	"register-node": "registerNode", "registry-burst": "registryBurst", "registry-qps": "registryPullQPS", "reserved-cpus": "reservedSystemCPUs",
	"reserved-memory": "reservedMemory", "resolv-conf": "resolvConf", "rotate-certificates": "rotateCertificates", "rotate-server-certificates": "serverTLSBootstrap",
	"runonce": "runOnce", "runtime-request-timeout": "runtimeRequestTimeout", "seccomp-default": "seccompDefault", "serialize-image-pulls": "serializeImagePulls",
	"streaming-connection-idle-timeout": "streamingConnectionIdleTimeout", "sync-frequency": "syncFrequency", "system-cgroups": "systemCgroups",
	"system-reserved": "systemReserved", "system-reserved-cgroup": "systemReservedCgroup", "tls-cert-file": "tlsCertFile", "tls-cipher-suites": "tlsCipherSuites",
	"tls-min-version": "tlsMinVersion", "tls-private-key-file": "tlsPrivateKeyFile", "topology-manager-policy": "topologyManagerPolicy",
	"topology-manager-policy-options": "topologyManagerPolicyOptions", "topology-manager-scope": "topologyManagerScope", "vmodule": "logging.vmodule",
	"volume-plugin-dir": "volumePluginDir", "volume-stats-agg-period": "volumeStatsAggPeriod",
}

// Flags that were given, in their order.
type Flags struct{ given []*given }

// given is one flag; it is a pflag.Value.
type given struct {
	name, path, text string
	into             *Flags
}

func (g *given) String() string { return g.text }
func (g *given) Type() string   { return "value" }
func (g *given) Set(text string) error {
	g.text = text
	g.into.given = append(g.into.given, &given{name: g.name, path: g.path, text: text})
	return nil
}

// AddFlags registers them; Load puts what is given over the file.
func AddFlags(fs *pflag.FlagSet) *Flags {
	f := &Flags{}
	types := map[string]reflect.Type{}
	for _, l := range leaves(reflect.ValueOf(&Config{}).Elem(), "") {
		types[l.path] = l.value.Type()
	}
	for name, path := range flagFields {
		flag := fs.VarPF(&given{name: name, path: path, into: f}, name, "", "field "+path+" of the configuration, over the file's")
		if t := types[path]; t != nil && (t.Kind() == reflect.Bool || t == reflect.TypeFor[*bool]()) {
			flag.NoOptDefVal = "true"
		}
	}
	return f
}

// apply what was given to a configuration, or say why not.
func (f *Flags) apply(cfg *Config) error {
	if f == nil {
		return nil
	}
	fields := map[string]reflect.Value{}
	for _, l := range leaves(reflect.ValueOf(cfg).Elem(), "") {
		fields[l.path] = l.value
	}
	var errs []error
	for _, g := range f.given {
		value := reflect.New(fields[g.path].Type()).Elem()
		err := parse(value, g.text)
		if why, refused := g.refused(value, err); refused {
			errs = append(errs, fmt.Errorf("--%s=%s is not supported: %s", g.name, g.text, why))
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s=%s: %w", g.name, g.text, err))
			continue
		}
		fields[g.path].Set(value)
	}
	return errors.Join(errs...)
}

func (g *given) refused(value reflect.Value, err error) (why string, refused bool) {
	i := slices.IndexFunc(bounds, func(b bound) bool { return b.field == g.path })
	if i < 0 || slices.Contains(bounds[i].takes, anything) || (err == nil && empty(value)) {
		return "", false
	}
	text, invalid := json.Marshal(value.Interface())
	return bounds[i].why, err != nil || invalid != nil || !slices.Contains(bounds[i].takes, string(text))
}

// parse writes a flag's text into a field of whatever type.
func parse(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return parse(v.Elem(), text)
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Struct: // durations and quantities know their own text
		return json.Unmarshal([]byte(strconv.Quote(text)), v.Addr().Interface())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String && text != "" {
			v.Set(reflect.ValueOf(strings.Split(text, ",")))
			return nil
		}
	case reflect.Map:
		return parseMap(v, text)
	}
	return json.Unmarshal([]byte(text), v.Addr().Interface())
}

// parseMap reads key=value, or key<value as eviction thresholds are written, separated by commas.
func parseMap(v reflect.Value, text string) error {
	v.Set(reflect.MakeMap(v.Type()))
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		at := strings.IndexAny(one, "=<")
		if at < 0 {
			return fmt.Errorf("%q is not key=value", one)
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := parse(value, one[at+1:]); err != nil {
			return fmt.Errorf("%q: %w", one, err)
		}
		v.SetMapIndex(reflect.ValueOf(strings.TrimSpace(one[:at])), value)
	}
	return nil
}
