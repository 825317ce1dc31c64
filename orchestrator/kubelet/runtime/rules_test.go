package runtime

import (
	"context"
	"maps"
	"testing"

	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Swap was never limited: with a machine's swap on, every container had all of it.
func TestResourcesUnderTheNodesRules(t *testing.T) {
	for name, row := range map[string]struct {
		rules   Rules
		memory  int64
		swap    int64
		unified map[string]string
	}{
		"v1 that does not count":            {Rules{OneByOne: true}, 100, 0, nil},
		"v1, limited":                       {Rules{OneByOne: true, CountsSwap: true}, 100, 100, nil},
		"v1, without a limit":               {Rules{OneByOne: true, CountsSwap: true}, 0, 0, nil},
		"v1, whose limit was taken away":    {Rules{OneByOne: true, CountsSwap: true}, -1, 0, nil},
		"v2, limited":                       {Rules{V2: true, OneByOne: true, CountsSwap: true}, 100, 100, nil},
		"v2, without a limit":               {Rules{V2: true, OneByOne: true, CountsSwap: true}, 0, 0, map[string]string{"memory.swap.max": "0"}},
		"v2, all of a container are killed": {Rules{V2: true}, 100, 0, map[string]string{"memory.oom.group": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &runtimeapi.LinuxContainerResources{MemoryLimitInBytes: row.memory}
			row.rules.resources(l)
			if l.MemorySwapLimitInBytes != row.swap || !maps.Equal(l.Unified, row.unified) {
				t.Errorf("swap %d, %v; want %d, %v", l.MemorySwapLimitInBytes, l.Unified, row.swap, row.unified)
			}
		})
	}
}

// sandboxes remembers what it was asked for.
type sandboxes struct {
	criapi.RuntimeService
	asked *runtimeapi.PodSandboxConfig
}

func (s *sandboxes) RunPodSandbox(_ context.Context, c *runtimeapi.PodSandboxConfig, _ string) (string, error) {
	s.asked = c
	return "id", nil
}

func TestDefaultSysctlsYieldToThePodsAndToTheNodesNamespaces(t *testing.T) {
	const node = runtimeapi.NamespaceMode_NODE
	for name, row := range map[string]struct {
		shared *runtimeapi.NamespaceOption
		own    map[string]string
		want   map[string]string
	}{
		"none of its own":    {nil, nil, map[string]string{"net.core.somaxconn": "1024", "kernel.shmall": "7"}},
		"one of its own":     {nil, map[string]string{"net.core.somaxconn": "5"}, map[string]string{"net.core.somaxconn": "5", "kernel.shmall": "7"}},
		"the node's network": {&runtimeapi.NamespaceOption{Network: node}, nil, map[string]string{"kernel.shmall": "7"}},
		"the node's IPC":     {&runtimeapi.NamespaceOption{Ipc: node}, nil, map[string]string{"net.core.somaxconn": "1024"}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &sandboxes{}
			c := &Client{RuntimeService: fake, rules: Rules{Sysctls: map[string]string{"net.core.somaxconn": "1024", "kernel.shmall": "7"}}}
			config := &runtimeapi.PodSandboxConfig{Linux: &runtimeapi.LinuxPodSandboxConfig{
				Sysctls: row.own, SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{NamespaceOptions: row.shared},
			}}
			if _, err := c.RunPodSandbox(t.Context(), config, ""); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(fake.asked.Linux.Sysctls, row.want) {
				t.Errorf("%v, want %v", fake.asked.Linux.Sysctls, row.want)
			}
		})
	}
}
