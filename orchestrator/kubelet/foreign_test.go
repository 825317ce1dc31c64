package kubelet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every flag of stock's kubelet v1.37.2 (testdata/flags.txt) is obeyed, or refused with what to do: none is "unknown".
func TestEveryFlagOfStockIsKnown(t *testing.T) {
	data, err := os.ReadFile("testdata/flags.txt")
	if err != nil {
		t.Fatal(err)
	}
	cmd := NewCommand()
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	for _, name := range strings.Fields(string(data)) {
		if cmd.Flags().Lookup(strings.TrimPrefix(name, "--")) == nil {
			t.Errorf("%s is not known", name)
		}
	}
}

func complete(t *testing.T, args ...string) (*Config, error) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	const text = `{"apiVersion":"v1","kind":"Config","clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],
		"contexts":[{"name":"c","context":{"cluster":"c"}}],"current-context":"c"}`
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := NewCommand()
	var f flags
	cmd.ResetFlags()
	f.add(cmd.Flags())
	if err := cmd.ParseFlags(append([]string{"--kubeconfig=" + kubeconfig, "--node-ip=10.0.0.1", "--hostname-override=N"}, args...)); err != nil {
		t.Fatal(err)
	}
	return f.complete()
}

func TestFlagsGoOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubelet.yaml")
	if err := os.WriteFile(file, []byte("apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 5\npodsPerCore: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := complete(t, "--config="+file, "--max-pods=9", "--cluster-dns=10.96.0.10,10.96.0.11", "--eviction-hard=memory.available<1Gi,nodefs.available<5%",
		"--system-reserved=cpu=100m,memory=1Gi", "--fail-swap-on=false", "--protect-kernel-defaults", "--sync-frequency=7s", "--container-runtime-endpoint=unix:///run/x.sock",
		"--provider-id=cloud://1", "--seccomp-default", "--runtime-cgroups=/system.slice/containerd.service", "--cgroup-driver=cgroupfs", "--bootstrap-kubeconfig=/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Settings
	if s.MaxPods != 9 || s.PodsPerCore != 7 || !slices.Equal(s.ClusterDNS, []string{"10.96.0.10", "10.96.0.11"}) || s.EvictionHard["memory.available"] != "1Gi" ||
		s.EvictionHard["nodefs.available"] != "5%" || s.SystemReserved["memory"] != "1Gi" || *s.FailSwapOn || !s.ProtectKernelDefaults ||
		s.SyncFrequency.Seconds() != 7 || s.ContainerRuntimeEndpoint != "unix:///run/x.sock" || s.ProviderID != "cloud://1" || !*s.SeccompDefault {
		t.Errorf("%+v", s)
	}
}

func TestFlagsThatAskForWhatIsNotDone(t *testing.T) {
	for flag, says := range map[string]string{
		"--cpu-manager-policy=static":              "--cpu-manager-policy=static is not supported: containers share all CPUs",
		"--feature-gates=MemoryQoS=true":           "--feature-gates=MemoryQoS=true is not supported: this kubelet has no feature gates",
		"--read-only-port=10255":                   "--read-only-port=10255 is not supported",
		"--reserved-memory=0:memory=1Gi":           "--reserved-memory=0:memory=1Gi is not supported",
		"--runonce":                                "--runonce=true is not supported",
		"--cloud-provider=external":                "--cloud-provider=external is not supported: no cloud is asked",
		"--config-dir=/etc/kubelet.d":              "--config-dir=/etc/kubelet.d is not supported",
		"--exit-on-lock-contention":                "--exit-on-lock-contention=true is not supported",
		"--image-credential-provider-bin-dir=/opt": "use imagePullSecrets",
		"--maximum-dead-containers=5":              "--maximum-dead-containers=5 is not supported",
		"--max-pods=many":                          "--max-pods=many: ",
		"--eviction-hard=memory":                   `--eviction-hard=memory: "memory" is not key=value`,
		"--log-json-info-buffer-size=64Ki":         "--log-json-info-buffer-size=64Ki is not supported",
	} {
		if _, err := complete(t, flag); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %s", flag, err, says)
		}
	}
	for _, harmless := range []string{"--cpu-manager-policy=none", "--feature-gates=", "--read-only-port=0", "--runonce=false", "--maximum-dead-containers=-1", "--cloud-provider="} {
		if _, err := complete(t, harmless); err != nil {
			t.Errorf("%s: %v", harmless, err)
		}
	}
}
