package proxy

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/plumb-k8s/plumb/orchestrator/proxy/ruleset"
)

func TestSettings(t *testing.T) {
	const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
	tests := []struct {
		name, file string
		args       []string
		check      func(*Settings) bool
		fails      string
	}{
		{"defaults", head, nil, func(s *Settings) bool {
			return s.HealthzBindAddress == "0.0.0.0:10256" && s.MetricsBindAddress == "127.0.0.1:10249" && *s.NFTables.MasqueradeBit == 14
		}, ""},
		{"the file", head + "mode: nftables\nclusterCIDR: 10.244.0.0/16\nhostnameOverride: Node-A\nclientConnection: {kubeconfig: /k}\nconntrack: {maxPerCore: 0, min: 0}\n", nil, func(s *Settings) bool {
			return s.ClusterCIDR == "10.244.0.0/16" && s.HostnameOverride == "node-a" && s.ClientConnection.Kubeconfig == "/k"
		}, ""},
		{"a flag wins", head + "clusterCIDR: 10.244.0.0/16\n", []string{"--cluster-cidr=10.9.0.0/16", "--healthz-bind-address=127.0.0.1"}, func(s *Settings) bool {
			return s.ClusterCIDR == "10.9.0.0/16" && s.HealthzBindAddress == "127.0.0.1:10256"
		}, ""},
		{"an unknown field", head + "clusterCidrs: x\n", nil, nil, "clusterCidrs"},
		{"what stock's proxy and kubeadm say by default", head + "mode: iptables\niptables: {masqueradeBit: 15, masqueradeAll: true, localhostNodePorts: true, syncPeriod: 20s}\nbindAddress: 0.0.0.0\nconfigSyncPeriod: 15m0s\n", nil, func(s *Settings) bool {
			return *s.NFTables.MasqueradeBit == 15 && s.NFTables.MasqueradeAll && s.NFTables.SyncPeriod.Duration == 20*time.Second && connections(s, 8) == 8*32768
		}, ""},
		{"the section of another mode", head + "mode: nftables\niptables: {masqueradeAll: true}\nipvs: {strictARP: true}\n", nil, func(s *Settings) bool { return !s.NFTables.MasqueradeAll }, ""},
		{"ipvs", head + "mode: ipvs\n", nil, nil, `line 3: mode: "ipvs" is not supported`},
		{"ipvs as a flag", head, []string{"--proxy-mode=ipvs"}, nil, "--proxy-mode=ipvs"},
		{"a feature gate", head + "featureGates: {X: true}\n", nil, nil, "line 3: featureGates: "},
		{"profiles", head + "enableProfiling: true\n", nil, nil, "line 3: enableProfiling: "},
		{"another kind", "apiVersion: v1\nkind: Pod\n", nil, nil, "KubeProxyConfiguration"},
		{"a bit beyond the mark", head + "nftables: {masqueradeBit: 40}\n", nil, nil, "masqueradeBit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "proxy.yaml")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			fs := pflag.NewFlagSet("kube-proxy", pflag.ContinueOnError)
			flags := addFlags(fs)
			if err := fs.Parse(append(test.args, "--config="+file)); err != nil {
				t.Fatal(err)
			}
			got, err := flags.load(fs)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("error: %v", err)
				}
				return
			}
			if err != nil || !test.check(got) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// What stock's kube-proxy --write-config-to writes.
func TestStocksDefaultFileIsTaken(t *testing.T) {
	fs := pflag.NewFlagSet("kube-proxy", pflag.ContinueOnError)
	flags := addFlags(fs)
	if err := fs.Parse([]string{"--config=testdata/stock.yaml"}); err != nil {
		t.Fatal(err)
	}
	if _, err := flags.load(fs); err != nil {
		t.Error(err)
	}
}

func TestEveryFieldOfTheConfigurationIsHonouredOrRefused(t *testing.T) {
	for _, wrong := range configuration.Unaccounted(reflect.TypeFor[Settings]()) {
		t.Error(wrong)
	}
}

func TestBindAddressIsTheNodesOwn(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("172.30.0.2"), netip.MustParseAddr("fd00::2")}
	for bind, want := range map[string]string{"": "[172.30.0.2 fd00::2]", "0.0.0.0": "[172.30.0.2 fd00::2]", "192.0.2.9": "[192.0.2.9 fd00::2]", "fd00::9": "[fd00::9 172.30.0.2]"} {
		if got := fmt.Sprint(preferBound(bind, own)); got != want {
			t.Errorf("bound to %q: %s, not %s", bind, got, want)
		}
	}
}

func TestStaleFlows(t *testing.T) {
	dns := ruleset.Frontend{Address: netip.MustParseAddr("10.96.0.10"), Protocol: ruleset.UDP, Port: 53}
	served := destinations{dns: {netip.MustParseAddrPort("10.244.1.2:5353")}}
	tests := []struct {
		name     string
		protocol uint8
		to, from string
		stale    bool
	}{
		{"to a living endpoint", unix.IPPROTO_UDP, "10.96.0.10:53", "10.244.1.2:5353", false},
		{"to an endpoint that is gone", unix.IPPROTO_UDP, "10.96.0.10:53", "10.244.1.9:5353", true},
		{"never translated", unix.IPPROTO_UDP, "10.96.0.10:53", "10.96.0.10:53", true},
		{"no Service", unix.IPPROTO_UDP, "10.244.1.2:5353", "10.244.1.2:5353", false},
		{"TCP", unix.IPPROTO_TCP, "10.96.0.10:53", "10.244.1.9:5353", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			to, from := netip.MustParseAddrPort(test.to), netip.MustParseAddrPort(test.from)
			flow := &netlink.ConntrackFlow{
				Forward: netlink.IPTuple{Protocol: test.protocol, DstIP: net.IP(to.Addr().AsSlice()), DstPort: to.Port()},
				Reverse: netlink.IPTuple{Protocol: test.protocol, SrcIP: net.IP(from.Addr().AsSlice()), SrcPort: from.Port()},
			}
			if got := served.MatchConntrackFlow(flow); got != test.stale {
				t.Errorf("stale: %v", got)
			}
		})
	}
}

// healthOf is a health whose Pending is *pending.
func healthOf(pending *time.Time) *health {
	return newHealth(healthConfig{
		Logger: slog.New(slog.DiscardHandler), Clock: clock.RealClock{},
		Pending: func(string) time.Time { return *pending }, Refused: func() map[string]string { return nil },
	})
}

func TestHealthOfAService(t *testing.T) {
	var pending time.Time
	h := healthOf(&pending)
	ask := func() (int, map[string]any) {
		w := httptest.NewRecorder()
		h.serviceHandler("ns/name").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		body := map[string]any{}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		return w.Code, body
	}
	h.services["ns/name"] = &serviceHealth{local: 2}
	if code, body := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("before the first sync: %d %v", code, body)
	}
	h.synced(&corev1.Node{})
	if code, body := ask(); code != http.StatusOK || body["localEndpoints"] != 2.0 {
		t.Errorf("with endpoints: %d %v", code, body)
	}
	pending = time.Now().Add(-2 * patience)
	if code, body := ask(); code != http.StatusServiceUnavailable || body["serviceProxyHealthy"] != false {
		t.Errorf("with a change that waits too long: %d %v", code, body)
	}
	pending = time.Time{}
	h.services["ns/name"].local = 0
	if code, body := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("without endpoints: %d %v", code, body)
	}
}

func TestANodeThatIsAboutToGoIsNotEligible(t *testing.T) {
	h := healthOf(&time.Time{})
	h.synced(&corev1.Node{Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: autoscalerTaint}}}})
	for path, want := range map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK} {
		w := httptest.NewRecorder()
		h.nodeHandler(path).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != want {
			t.Errorf("with eligibility %v: %d", path, w.Code)
		}
	}
}
