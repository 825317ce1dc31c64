package budget

import (
	"errors"
	"fmt"
	"os"
	"time"

	"gopkg.in/yaml.v3"
)

// Settings are what a cluster's owner states about its pace: the budgets that depend on them follow. Stock() is what upstream's components do
// without flags.
type Settings struct {
	// NodeGrace is the controller-manager's node-monitor-grace-period, NodePeriod its node-monitor-period.
	NodeGrace  time.Duration
	NodePeriod time.Duration
	// Lease is leader-elect-lease-duration of the controller-manager and the scheduler, LeaseRetry their leader-elect-retry-period.
	Lease      time.Duration
	LeaseRetry time.Duration
	// Election is etcd's election-timeout.
	Election time.Duration
	// Balancer is how long whatever stands before the apiservers may go on sending clients to one that does not answer.
	Balancer time.Duration
}

// Stock is upstream's defaults, with a balancer that notices in 5 s.
func Stock() Settings {
	return Settings{
		NodeGrace: 50 * time.Second, NodePeriod: 5 * time.Second, Lease: 15 * time.Second, LeaseRetry: 2 * time.Second,
		Election: time.Second, Balancer: 5 * time.Second,
	}
}

// fields names the settings as a file does.
func (s *Settings) fields() []field {
	return []field{
		{"nodeMonitorGracePeriod", &s.NodeGrace}, {"nodeMonitorPeriod", &s.NodePeriod}, {"leaseDuration", &s.Lease},
		{"leaseRetryPeriod", &s.LeaseRetry}, {"etcdElectionTimeout", &s.Election}, {"balancerNotices", &s.Balancer},
	}
}

type field struct {
	name  string
	value *time.Duration
}

// Read reads a file of settings, a line each ("leaseDuration: 15s"); what it does not name is as in base. An error names the file, the line,
// the field and what may stand there.
func Read(path string, base Settings) (Settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return base, fmt.Errorf("--settings: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return base, fmt.Errorf("--settings %s: %w", path, err)
	}
	if len(document.Content) == 0 {
		return base, nil
	}
	var wrong []error
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return base, fmt.Errorf("--settings %s:%d: want lines like leaseDuration: 15s", path, top.Line)
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if err := base.set(top.Content[i].Value, top.Content[i+1].Value); err != nil {
			wrong = append(wrong, fmt.Errorf("--settings %s:%d: %w", path, top.Content[i].Line, err))
		}
	}
	return base, errors.Join(wrong...)
}

func (s *Settings) set(name, text string) error {
	var known []string
	for _, f := range s.fields() {
		known = append(known, f.name)
		if f.name != name {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return fmt.Errorf("%s: %q is no duration above zero, such as 15s", name, text)
		}
		*f.value = d
		return nil
	}
	return fmt.Errorf("%s: no such setting; there are %v", name, known)
}

// Of are the settings that a report states.
func Of(stated []Stated) (Settings, error) {
	s := Stock()
	for _, each := range stated {
		if err := s.set(each.Name, each.Value); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Stated lists the settings by name, in the order of the file.
func (s Settings) Stated() []Stated {
	var all []Stated
	for _, f := range s.fields() {
		all = append(all, Stated{f.name, f.value.String()})
	}
	return all
}

// Stated is one setting as the report shows it.
type Stated struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
