package roster

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

// pauseImage holds a pod's namespaces; pinned, so that image collection leaves it alone.
const pauseImage = "registry.k8s.io/pause:3.10.2"

// containerd is the container runtime. It is not a component of Kubernetes and cannot be overridden.
func containerd(c *description.Cluster, f Facts) Entry {
	const file = "/etc/containerd/config.toml"
	files := map[string][]byte{file: []byte(containerdConfig(f))}
	for _, registry := range slices.Sorted(maps.Keys(c.RegistryMirrors)) {
		files[filepath.Join("/etc/containerd/certs.d", filepath.Base(registry), "hosts.toml")] = []byte(mirror(c.RegistryMirrors[registry]))
	}
	return Entry{
		Name: "containerd", Executable: "/usr/local/bin/containerd", Args: []string{"--config", file}, Files: files,
		Ready: Probe{Socket: Containerd}, Runtime: true,
	}
}

// containerdConfig is in containerd's format 3. What a node of ours cannot use is off: it would only be probed at every start.
func containerdConfig(f Facts) string {
	return fmt.Sprintf(`version = 3
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs",
  "io.containerd.differ.v1.erofs", "io.containerd.mount-handler.v1.erofs", "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing", "io.containerd.image-verifier.v1.bindir",
]

[grpc]
address = %[1]q

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = %[2]q

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = %[3]t

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/opt/cni/bin"]
conf_dir = "/etc/cni/net.d"
use_internal_loopback = true

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "/usr/local/bin/runc"
SystemdCgroup = false
`, Containerd, pauseImage, !f.MayRaisePriority)
}

// mirror is a hosts.toml that asks the mirror and nobody else.
func mirror(url string) string {
	url = strings.TrimSuffix(url, "/")
	return fmt.Sprintf("server = %[1]q\n\n[host.%[1]q]\ncapabilities = [\"pull\", \"resolve\"]\n", url)
}
