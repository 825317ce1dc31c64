package world

import "time"

// Settings are the flags that controllers read.
type Settings struct {
	AllocateNodeCIDRs     bool
	ClusterCIDR           string
	ServiceCIDR           string
	NodeCIDRMaskIPv4      int
	NodeCIDRMaskIPv6      int
	RootCA                []byte
	NodeMonitorPeriod     time.Duration
	NodeMonitorGrace      time.Duration
	NodeStartupGrace      time.Duration
	EvictionRate          float64
	SecondaryEvictionRate float64
	LargeCluster          int
	UnhealthyZone         float64
	TerminatedPods        int
	// Workers is how many syncs of one controller run at once, by the name in its --concurrent-NAME-syncs flag.
	Workers map[string]*int
}

// WorkersOf is how many syncs of that name run at once.
func (s Settings) WorkersOf(name string) int {
	if n := s.Workers[name]; n != nil && *n > 0 {
		return *n
	}
	return 5
}
