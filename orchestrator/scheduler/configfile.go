package scheduler

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulerv1 "k8s.io/kube-scheduler/config/v1"

	"github.com/plumb-k8s/plumb/orchestrator/scheduler/queue"
)

// readFile takes over what --config says. Flags that are given win over the file.
func (o *options) readFile(fs *pflag.FlagSet) error {
	if o.configFile == "" {
		return nil
	}
	var cfg schedulerv1.KubeSchedulerConfiguration
	if err := configuration.Read(o.configFile, &cfg); err != nil {
		return err
	}
	if o.kubeconfig == "" {
		o.kubeconfig = cfg.ClientConnection.Kubeconfig
	}
	o.elect(&cfg, fs)
	var err error
	if o.names, err = names(cfg.Profiles); err == nil {
		o.pauses, err = pauses(&cfg)
	}
	if err != nil {
		return fmt.Errorf("--config=%s: %w", o.configFile, err)
	}
	return nil
}

// elect takes over the settings of the election.
func (o *options) elect(cfg *schedulerv1.KubeSchedulerConfiguration, fs *pflag.FlagSet) {
	e := &cfg.LeaderElection
	if e.LeaderElect != nil && !fs.Changed("leader-elect") {
		o.election.Elect = *e.LeaderElect
	}
	for _, d := range []struct {
		flag string
		into *time.Duration
		says metav1.Duration
	}{
		{"leader-elect-lease-duration", &o.election.LeaseDuration, e.LeaseDuration},
		{"leader-elect-renew-deadline", &o.election.RenewDeadline, e.RenewDeadline},
		{"leader-elect-retry-period", &o.election.RetryPeriod, e.RetryPeriod},
	} {
		if d.says.Duration != 0 && !fs.Changed(d.flag) {
			*d.into = d.says.Duration
		}
	}
	if e.ResourceName != "" && !fs.Changed("leader-elect-resource-name") {
		o.election.ResourceName = e.ResourceName
	}
	if e.ResourceNamespace != "" && !fs.Changed("leader-elect-resource-namespace") {
		o.election.ResourceNamespace = e.ResourceNamespace
	}
}

// names of the profiles. They differ in nothing else: all have the built-in rules.
func names(profiles []schedulerv1.KubeSchedulerProfile) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for i, p := range profiles {
		name := ""
		switch {
		case p.SchedulerName != nil:
			name = *p.SchedulerName
		case len(profiles) == 1:
			name = corev1.DefaultSchedulerName
		}
		if name == "" || seen[name] {
			return nil, fmt.Errorf("profiles[%d].schedulerName: %q is empty, or another profile's; give each profile a name of its own", i, name)
		}
		seen[name] = true
		out = append(out, name)
	}
	return out, nil
}

func pauses(cfg *schedulerv1.KubeSchedulerConfiguration) (queue.Pauses, error) {
	out := queue.DefaultPauses
	if s := cfg.PodInitialBackoffSeconds; s != nil {
		out.First = time.Duration(*s) * time.Second
	}
	if s := cfg.PodMaxBackoffSeconds; s != nil {
		out.Longest = time.Duration(*s) * time.Second
	}
	if out.First <= 0 || out.Longest < out.First {
		return out, fmt.Errorf("podMaxBackoffSeconds: pauses from %s to %s: the first must be above 0, and the longest not below it", out.First, out.Longest)
	}
	return out, nil
}
