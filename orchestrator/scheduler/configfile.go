package scheduler

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	schedulerv1 "k8s.io/kube-scheduler/config/v1"
	"sigs.k8s.io/yaml"
)

// profile reads --config and returns the name of its one profile. Flags win over the file.
func (o *options) profile() (string, error) {
	if o.configFile == "" {
		return corev1.DefaultSchedulerName, nil
	}
	data, err := os.ReadFile(o.configFile)
	if err != nil {
		return "", fmt.Errorf("--config: %w", err)
	}
	var cfg schedulerv1.KubeSchedulerConfiguration
	if err := yaml.UnmarshalStrict(data, &cfg); err != nil {
		return "", fmt.Errorf("--config %s: %w", o.configFile, err)
	}
	if cfg.Kind != "KubeSchedulerConfiguration" {
		return "", fmt.Errorf("--config %s: kind: must be KubeSchedulerConfiguration, not %q", o.configFile, cfg.Kind)
	}
	if o.kubeconfig == "" {
		o.kubeconfig = cfg.ClientConnection.Kubeconfig
	}
	return profileName(o.configFile, cfg.Profiles)
}

// profileName of the one profile that is supported: its plugins are the built-in rules.
func profileName(file string, profiles []schedulerv1.KubeSchedulerProfile) (string, error) {
	switch {
	case len(profiles) == 0:
		return corev1.DefaultSchedulerName, nil
	case len(profiles) > 1:
		return "", fmt.Errorf("--config %s: profiles: at most one is supported, there are %d", file, len(profiles))
	case profiles[0].Plugins != nil || len(profiles[0].PluginConfig) > 0:
		return "", fmt.Errorf("--config %s: profiles[0]: plugins and pluginConfig are not supported", file)
	case profiles[0].SchedulerName != nil:
		return *profiles[0].SchedulerName, nil
	}
	return corev1.DefaultSchedulerName, nil
}
