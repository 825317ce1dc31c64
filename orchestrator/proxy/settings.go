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
	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/nftables"
)

// Settings are stock's configuration kind. Fields that only other modes and systems heed are accepted and have no effect.
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
	fs.StringVar(&f.mode, "proxy-mode", "", "nftables, which is the only mode")
	fs.StringSliceVar(&f.cidrs, "nodeport-addresses", nil, "addresses of node ports: CIDRs, or primary for the Node's own")
	fs.BoolVar(&v.NFTables.MasqueradeAll, "masquerade-all", false, "masquerade all clients of ClusterIPs")
	fs.Int32Var(&f.oom, "oom-score-adj", -999, "oom-score-adj of this process")
	fs.DurationVar(&v.NFTables.SyncPeriod.Duration, "nftables-sync-period", 0, "how often the packet filter is checked (default 30s)")
	return f
}

func (f *flagValues) load(fs *pflag.FlagSet) (*Settings, error) {
	s := &Settings{}
	if f.file != "" {
		raw, err := os.ReadFile(f.file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		if err := yaml.UnmarshalStrict(raw, s); err != nil {
			return nil, fmt.Errorf("--config=%s: %w", f.file, err)
		}
		if s.Kind != "KubeProxyConfiguration" || s.APIVersion != config.SchemeGroupVersion.String() {
			return nil, fmt.Errorf("--config=%s: is %s %s, not %s KubeProxyConfiguration", f.file, s.APIVersion, s.Kind, config.SchemeGroupVersion)
		}
	}
	fs.Visit(func(given *pflag.Flag) { f.override(s, given.Name) })
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

// complete fills what was left open with stock's defaults.
func complete(s *Settings) error {
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
	if s.OOMScoreAdj == nil {
		score := int32(-999)
		s.OOMScoreAdj = &score
	}
	return nil
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
