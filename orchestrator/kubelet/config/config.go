// Package config reads the kubelet's configuration: a KubeletConfiguration file with stock's defaults filled in.
//
// It owns what a missing field means, and which fields and flags this kubelet obeys (fields.go, flags.go): what asks for something else is an
// error, never ignored. It reads files and decides nothing else. The command feeds it; every part of the kubelet is given the fields that concern
// it, never the whole.
package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeletv1beta1 "k8s.io/kubelet/config/v1beta1"
	"sigs.k8s.io/yaml"
)

// Config is the kind that people write.
type Config = kubeletv1beta1.KubeletConfiguration

const (
	apiVersion = "kubelet.config.k8s.io/v1beta1"
	kind       = "KubeletConfiguration"
	// volumePlugins is where stock looks for Flexvolumes.
	volumePlugins = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/"
	// Pods in enforceNodeAllocatable keeps all pods together within what is allocatable.
	Pods = "pods"
)

// Load reads a file (empty: the defaults alone) and puts flags over it (nil: none). A field that the kind does not have, or that asks for what this kubelet does not do, is an error
// that names the file, the line and the field.
func Load(file string, flags *Flags) (*Config, error) {
	cfg := &Config{}
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		if err := Parse(data, cfg); err != nil {
			return nil, fmt.Errorf("--config=%s: %w", file, err)
		}
	}
	if err := flags.apply(cfg); err != nil {
		return nil, err
	}
	Default(cfg)
	if err := check(cfg); err != nil {
		return nil, fmt.Errorf("--config=%s: %w", file, err)
	}
	return cfg, nil
}

// Parse decodes YAML or JSON strictly, and refuses what would be ignored.
func Parse(data []byte, cfg *Config) error {
	doc, err := read(data)
	if err != nil {
		return err
	}
	if err := doc.unknown(reflect.TypeFor[Config]()); err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(data, cfg); err != nil {
		return err
	}
	if cfg.APIVersion != apiVersion || cfg.Kind != kind {
		return fmt.Errorf("line %d: apiVersion %q kind %q: want %q %q", doc.line("kind"), cfg.APIVersion, cfg.Kind, apiVersion, kind)
	}
	return refuse(cfg, doc.line)
}

// Default fills what the file left out, as the API reference of KubeletConfiguration says.
func Default(c *Config) {
	duration(&c.SyncFrequency, time.Minute)
	duration(&c.FileCheckFrequency, 20*time.Second)
	duration(&c.StreamingConnectionIdleTimeout, 4*time.Hour)
	if c.NodeStatusReportFrequency.Duration == 0 {
		c.NodeStatusReportFrequency = c.NodeStatusUpdateFrequency // who sets the one alone means both
	}
	duration(&c.NodeStatusUpdateFrequency, 10*time.Second)
	duration(&c.NodeStatusReportFrequency, 5*time.Minute)
	duration(&c.ImageMinimumGCAge, 2*time.Minute)
	if c.ContainerLogMonitorInterval == nil {
		c.ContainerLogMonitorInterval = &metav1.Duration{Duration: 10 * time.Second}
	}
	duration(&c.VolumeStatsAggPeriod, time.Minute)
	duration(&c.EvictionPressureTransitionPeriod, 5*time.Minute)
	duration(&c.Authentication.Webhook.CacheTTL, 2*time.Minute)
	duration(&c.Authorization.Webhook.CacheAuthorizedTTL, 5*time.Minute)
	duration(&c.Authorization.Webhook.CacheUnauthorizedTTL, 30*time.Second)
	value(&c.Port, 10250)
	value(&c.Address, "0.0.0.0")
	value(&c.HealthzBindAddress, "127.0.0.1")
	value(&c.NodeLeaseDurationSeconds, 40)
	value(&c.MaxPods, 110)
	value(&c.CgroupDriver, "cgroupfs")
	value(&c.ResolverConfig, new("/etc/resolv.conf"))
	value(&c.ContainerRuntimeEndpoint, "unix:///run/containerd/containerd.sock")
	value(&c.ContainerLogMaxSize, "10Mi")
	value(&c.PodLogsDir, "/var/log/pods")
	value(&c.VolumePluginDir, volumePlugins)
	value(&c.MaxOpenFiles, 1000000)
	value(&c.ContentType, "application/vnd.kubernetes.protobuf")
	value(&c.Logging.Format, "text")
	duration(&c.RuntimeRequestTimeout, 2*time.Minute)
	pointer(&c.OOMScoreAdj, -999)
	pointer(&c.NodeStatusMaxImages, 50)
	pointer(&c.ContainerLogMaxWorkers, 1)
	if c.EnforceNodeAllocatable == nil {
		c.EnforceNodeAllocatable = []string{Pods}
	}
	value(&c.Authorization.Mode, kubeletv1beta1.KubeletAuthorizationModeWebhook)
	pointer(&c.Authentication.Anonymous.Enabled, false)
	pointer(&c.Authentication.Webhook.Enabled, true)
	pointer(&c.HealthzPort, 10248)
	pointer(&c.RegisterNode, true)
	pointer(&c.EnableServer, true)
	pointer(&c.EnableDebuggingHandlers, true)
	pointer(&c.EnableSystemLogHandler, true)
	pointer(&c.EnableProfilingHandler, true)
	pointer(&c.EnableDebugFlagsHandler, true)
	pointer(&c.SerializeImagePulls, c.MaxParallelImagePulls == nil || *c.MaxParallelImagePulls < 2)
	pointer(&c.ContainerLogMaxFiles, 5)
	pointer(&c.ImageGCHighThresholdPercent, 85)
	pointer(&c.ImageGCLowThresholdPercent, 80)
	pointer(&c.CPUCFSQuota, true)
	pointer(&c.CgroupsPerQOS, true)
	pointer(&c.FailSwapOn, true)
	pointer(&c.LocalStorageCapacityIsolation, true)
	pointer(&c.FailCgroupV1, true)
	hard := map[string]string{
		"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%", "imagefs.available": "15%", "imagefs.inodesFree": "5%",
	}
	if c.MergeDefaultEvictionSettings != nil && *c.MergeDefaultEvictionSettings {
		maps.Copy(hard, c.EvictionHard)
		c.EvictionHard = hard
	}
	if c.EvictionHard == nil {
		c.EvictionHard = hard
	}
}

func duration(d *metav1.Duration, standard time.Duration) {
	if d.Duration == 0 {
		d.Duration = standard
	}
}

func value[T comparable](field *T, standard T) {
	var zero T
	if *field == zero {
		*field = standard
	}
}

func pointer[T any](field **T, standard T) {
	if *field == nil {
		*field = &standard
	}
}
