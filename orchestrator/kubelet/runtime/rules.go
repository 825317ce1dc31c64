package runtime

import (
	"context"
	"fmt"
	"maps"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/sysctls"
)

// Rules hold for every pod of a node, whatever it asks for.
type Rules struct {
	// V2 is the version of the control groups.
	V2 bool
	// CountsSwap says that the kernel can limit swap: then no container gets any.
	CountsSwap bool
	// OneByOne lets the kernel kill a single process of a container that is out of memory; else all of it go, which v2 alone can.
	OneByOne bool
	// Sysctls that a pod has unless it sets them itself.
	Sysctls map[string]string
}

// Files of v2 that CRI has no field for.
const (
	killsAll = "memory.oom.group"
	swapMax  = "memory.swap.max"
)

func (r Rules) resources(l *runtimeapi.LinuxContainerResources) {
	if l == nil {
		return
	}
	unified := func(file, value string) {
		if l.Unified == nil {
			l.Unified = map[string]string{}
		}
		l.Unified[file] = value
	}
	if r.V2 && !r.OneByOne {
		unified(killsAll, "1")
	}
	if !r.CountsSwap {
		return
	}
	if l.MemoryLimitInBytes > 0 {
		l.MemorySwapLimitInBytes = l.MemoryLimitInBytes // memory and swap together
	} else if r.V2 {
		unified(swapMax, "0")
	}
}

// sandbox adds the node's settings of the kernel to those that the pod makes itself.
func (r Rules) sandbox(linux *runtimeapi.LinuxPodSandboxConfig) {
	if linux == nil || len(r.Sysctls) == 0 {
		return
	}
	all := inNamespaces(r.Sysctls, linux.GetSecurityContext().GetNamespaceOptions())
	maps.Copy(all, linux.Sysctls)
	linux.Sysctls = all
}

// inNamespaces leaves out the settings that would be the node's own: the pod shares those namespaces with it.
func inNamespaces(values map[string]string, o *runtimeapi.NamespaceOption) map[string]string {
	own := map[string]string{}
	for name, value := range values {
		of := sysctls.Of(name)
		network, ipc := o.GetNetwork() == runtimeapi.NamespaceMode_NODE, o.GetIpc() == runtimeapi.NamespaceMode_NODE
		if !(of == sysctls.Network && network) && !(of == sysctls.IPC && ipc) {
			own[name] = value
		}
	}
	return own
}

// CgroupDriver that the runtime has; empty when it does not say.
func (c *Client) CgroupDriver(ctx context.Context) (string, error) {
	answer, err := c.RuntimeConfig(ctx)
	if status.Code(err) == codes.Unimplemented {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask for the runtime's cgroup driver: %w", err)
	}
	if answer.GetLinux().GetCgroupDriver() == runtimeapi.CgroupDriver_SYSTEMD {
		return "systemd", nil
	}
	return "cgroupfs", nil
}
