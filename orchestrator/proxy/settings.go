package proxy

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	config "k8s.io/kube-proxy/config/v1alpha1"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/nftables"
)

// Settings are stock's configuration kind; see configuration for what becomes of its fields.
type Settings = config.KubeProxyConfiguration

// flagValues are the command line. A flag that is given wins over the file.
type flagValues struct {
	file   string
	values Settings
	mode   string
	cidrs  []string
	oom    int32
}

func addFlags(fs *pflag.FlagSet) *flagValues {
	f := &flagValues{}
	v := &f.values
	fs.StringVar(&f.file, "config", "", "KubeProxyConfiguration file")
	fs.StringVar(&v.ClientConnection.Kubeconfig, "kubeconfig", "", "kubeconfig file of the apiserver")
	fs.StringVar(&v.HostnameOverride, "hostname-override", "", "name of this node")
	fs.StringVar(&v.ClusterCIDR, "cluster-cidr", "", "addresses of pods, comma-separated")
	fs.StringVar(&v.BindAddress, "bind-address", "", "address of this node, until the Node object tells")
	fs.StringVar(&v.HealthzBindAddress, "healthz-bind-address", "", "address of the health server (default 0.0.0.0:10256)")
	fs.StringVar(&v.MetricsBindAddress, "metrics-bind-address", "", "address of the metrics server (default 127.0.0.1:10249)")
	fs.StringVar(&f.mode, "proxy-mode", "", "nftables, which is the only mode; iptables, which stock's default file names, is served alike")
	fs.StringSliceVar(&f.cidrs, "nodeport-addresses", nil, "addresses of node ports: CIDRs, or primary for the Node's own")
	fs.BoolVar(&v.NFTables.MasqueradeAll, "masquerade-all", false, "masquerade all clients of ClusterIPs")
	fs.Int32Var(&f.oom, "oom-score-adj", -999, "oom-score-adj of this process")
	fs.DurationVar(&v.NFTables.SyncPeriod.Duration, "nftables-sync-period", 0, "how often the packet filter is checked (default 30s)")
	return f
}

func (f *flagValues) load(fs *pflag.FlagSet) (*Settings, error) {
	s := &Settings{}
	if f.file != "" {
		if err := configuration.Read(f.file, s); err != nil {
			return nil, err
		}
	}
	fs.Visit(func(given *pflag.Flag) { f.override(s, given.Name) })
	if s.Mode != "" && s.Mode != nftablesMode && s.Mode != iptablesMode {
		return nil, fmt.Errorf("--proxy-mode=%s: the packet filter is nftables; say nftables", s.Mode)
	}
	return s, complete(s)
}

func (f *flagValues) override(s *Settings, flag string) {
	v := f.values
	switch flag {
	case "kubeconfig":
		s.ClientConnection.Kubeconfig = v.ClientConnection.Kubeconfig
	case "hostname-override":
		s.HostnameOverride = v.HostnameOverride
	case "cluster-cidr":
		s.ClusterCIDR = v.ClusterCIDR
	case "bind-address":
		s.BindAddress = v.BindAddress
	case "healthz-bind-address":
		s.HealthzBindAddress = v.HealthzBindAddress
	case "metrics-bind-address":
		s.MetricsBindAddress = v.MetricsBindAddress
	case "proxy-mode":
		s.Mode = config.ProxyMode(f.mode)
	case "nodeport-addresses":
		s.NodePortAddresses = f.cidrs
	case "masquerade-all":
		s.NFTables.MasqueradeAll = v.NFTables.MasqueradeAll
	case "oom-score-adj":
		s.OOMScoreAdj = &f.oom
	case "nftables-sync-period":
		s.NFTables.SyncPeriod = v.NFTables.SyncPeriod
	}
}

const nftablesMode, iptablesMode config.ProxyMode = "nftables", "iptables"

// complete fills what was left open with stock's defaults.
func complete(s *Settings) error {
	if s.Mode != nftablesMode {
		obeyIPTables(s)
	}
	if s.HostnameOverride == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("name of this node: %w", err)
		}
		s.HostnameOverride = name
	}
	s.HostnameOverride = strings.ToLower(strings.TrimSpace(s.HostnameOverride))
	s.HealthzBindAddress = withPort(cmp.Or(s.HealthzBindAddress, "0.0.0.0:10256"), 10256)
	s.MetricsBindAddress = withPort(cmp.Or(s.MetricsBindAddress, "127.0.0.1:10249"), 10249)
	s.DetectLocalMode = cmp.Or(s.DetectLocalMode, "ClusterCIDR")
	if s.NFTables.SyncPeriod.Duration <= 0 {
		s.NFTables.SyncPeriod = metav1.Duration{Duration: 30 * time.Second}
	}
	if s.NFTables.MasqueradeBit == nil {
		bit := int32(14)
		s.NFTables.MasqueradeBit = &bit
	}
	if bit := *s.NFTables.MasqueradeBit; bit < 0 || bit > 31 {
		return fmt.Errorf("nftables.masqueradeBit: %d is not within 0 and 31", bit)
	}
	completeConntrack(&s.Conntrack)
	if s.OOMScoreAdj == nil {
		score := int32(-999)
		s.OOMScoreAdj = &score
	}
	return nil
}

// obeyIPTables takes over what the section of the mode that the file names says, and this one's does not.
func obeyIPTables(s *Settings) {
	s.NFTables.MasqueradeAll = s.NFTables.MasqueradeAll || s.IPTables.MasqueradeAll
	if s.NFTables.MasqueradeBit == nil {
		s.NFTables.MasqueradeBit = s.IPTables.MasqueradeBit
	}
	if s.NFTables.SyncPeriod.Duration == 0 {
		s.NFTables.SyncPeriod = s.IPTables.SyncPeriod
	}
}

// completeConntrack fills in stock's defaults for the table of connections.
func completeConntrack(c *config.KubeProxyConntrackConfiguration) {
	if c.MaxPerCore == nil {
		c.MaxPerCore = new(int32(32 << 10))
	}
	if c.Min == nil {
		c.Min = new(int32(128 << 10))
	}
	if c.TCPEstablishedTimeout == nil {
		c.TCPEstablishedTimeout = &metav1.Duration{Duration: 24 * time.Hour}
	}
	if c.TCPCloseWaitTimeout == nil {
		c.TCPCloseWaitTimeout = &metav1.Duration{Duration: time.Hour}
	}
}

// withPort adds the port to an address that comes without.
func withPort(address string, port uint16) string {
	if ip, err := netip.ParseAddr(address); err == nil {
		return netip.AddrPortFrom(ip, port).String()
	}
	return address
}

// filterOptions are what the settings say of the rules. podCIDRs are the Node's own, for detectLocalMode NodeCIDR.
func filterOptions(s *Settings, podCIDRs []string) (nftables.Options, error) {
	o := nftables.Options{MasqueradeAll: s.NFTables.MasqueradeAll, MasqueradeBit: uint8(*s.NFTables.MasqueradeBit)}
	switch s.DetectLocalMode {
	case "ClusterCIDR":
		return o, parseCIDRs(&o, strings.Split(s.ClusterCIDR, ","))
	case "NodeCIDR":
		return o, parseCIDRs(&o, podCIDRs)
	case "InterfaceNamePrefix":
		o.PodInterfaces = []string{s.DetectLocal.InterfaceNamePrefix}
	case "BridgeInterface":
		// The terminating zero makes the comparison one of whole names.
		o.PodInterfaces = []string{s.DetectLocal.BridgeInterface + "\x00"}
	default:
		return o, fmt.Errorf("detectLocalMode: %q is not one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix", s.DetectLocalMode)
	}
	return o, nil
}

func parseCIDRs(o *nftables.Options, texts []string) error {
	for _, text := range texts {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		cidr, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("addresses of pods: %w", err)
		}
		o.ClusterCIDRs = append(o.ClusterCIDRs, cidr)
	}
	return nil
}
