package config

import (
	"errors"
	"fmt"
	"net"

	"k8s.io/apimachinery/pkg/api/resource"
)

// check holds values against each other and against their ranges, after defaulting.
func check(c *Config) error {
	var errs []error
	demand := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, ip := range c.ClusterDNS {
		demand(net.ParseIP(ip) != nil, "clusterDNS: %q is no IP address", ip)
	}
	for name, n := range map[string]int32{"maxPods": c.MaxPods, "podsPerCore": c.PodsPerCore, "registryBurst": c.RegistryBurst, "eventBurst": c.EventBurst, "kubeAPIBurst": c.KubeAPIBurst} {
		demand(n >= 0, "%s: %d must not be negative", name, n)
	}
	for name, n := range map[string]*int32{"registryPullQPS": c.RegistryPullQPS, "eventRecordQPS": c.EventRecordQPS} {
		demand(n == nil || *n >= 0, "%s must not be negative", name)
	}
	high, low := *c.ImageGCHighThresholdPercent, *c.ImageGCLowThresholdPercent
	demand(low >= 0 && low < high && high <= 100, "imageGCLowThresholdPercent %d must be less than imageGCHighThresholdPercent %d, both from 0 to 100", low, high)
	demand(*c.OOMScoreAdj >= -1000 && *c.OOMScoreAdj <= 1000, "oomScoreAdj: %d must be from -1000 to 1000", *c.OOMScoreAdj)
	demand(c.MaxOpenFiles >= 0, "maxOpenFiles: %d must not be negative", c.MaxOpenFiles)
	demand(*c.NodeStatusMaxImages >= -1, "nodeStatusMaxImages: %d must be -1 (all) or more", *c.NodeStatusMaxImages)
	demand(*c.ContainerLogMaxWorkers >= 1, "containerLogMaxWorkers: %d must be at least 1", *c.ContainerLogMaxWorkers)
	if n := c.MaxParallelImagePulls; n != nil {
		demand(*n >= 1, "maxParallelImagePulls: %d must be at least 1", *n)
		demand(*n == 1 || !*c.SerializeImagePulls, "maxParallelImagePulls: cannot be %d while serializeImagePulls is true", *n)
	}
	demand(c.Logging.Format == "text" || c.Logging.Format == "json", "logging.format: %q must be text or json", c.Logging.Format)
	for field, reserved := range map[string]map[string]string{"systemReserved": c.SystemReserved, "kubeReserved": c.KubeReserved} {
		for name, text := range reserved {
			demand(reservable[name], "%s: %q cannot be reserved: cpu, memory, ephemeral-storage and pid can", field, name)
			q, err := resource.ParseQuantity(text)
			demand(err == nil && q.Sign() >= 0, "%s.%s: %q is no amount", field, name, text)
		}
	}
	return errors.Join(errs...)
}

// reservable is what systemReserved and kubeReserved may name.
var reservable = map[string]bool{"cpu": true, "memory": true, "ephemeral-storage": true, "pid": true}
