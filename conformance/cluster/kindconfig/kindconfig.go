// Package kindconfig reads cluster shapes in kind's own v1alpha4 format, so that a file works with kind and with Plumb verbatim.
//
// It is fed files that people write and feeds the containers provider. A field that Plumb does not support is an error that names the file,
// the line and the field; nothing is ignored in silence.
package kindconfig

// Cluster is a shape.
type Cluster struct {
	Kind       string     `yaml:"kind"`
	APIVersion string     `yaml:"apiVersion"`
	Name       string     `yaml:"name"`
	Nodes      []Node     `yaml:"nodes"`
	Networking Networking `yaml:"networking"`
	// KubeadmConfigPatches may set extraArgs of components, and hold a KubeletConfiguration or KubeProxyConfiguration.
	KubeadmConfigPatches []string `yaml:"kubeadmConfigPatches"`

	// Patches is what KubeadmConfigPatches say, parsed.
	Patches Patches `yaml:"-"`
}

// Node is one node of a shape.
type Node struct {
	Role                 string            `yaml:"role"`
	Labels               map[string]string `yaml:"labels"`
	Image                string            `yaml:"image"`
	ExtraPortMappings    []PortMapping     `yaml:"extraPortMappings"`
	ExtraMounts          []Mount           `yaml:"extraMounts"`
	KubeadmConfigPatches []string          `yaml:"kubeadmConfigPatches"`
}

// PortMapping publishes a node's port on the host.
type PortMapping struct {
	ContainerPort int    `yaml:"containerPort"`
	HostPort      int    `yaml:"hostPort"`
	ListenAddress string `yaml:"listenAddress"`
	Protocol      string `yaml:"protocol"`
}

// Mount shows a host path in a node.
type Mount struct {
	HostPath      string `yaml:"hostPath"`
	ContainerPath string `yaml:"containerPath"`
	ReadOnly      bool   `yaml:"readOnly"`
}

// Networking of a shape.
type Networking struct {
	IPFamily         string `yaml:"ipFamily"`
	PodSubnet        string `yaml:"podSubnet"`
	ServiceSubnet    string `yaml:"serviceSubnet"`
	APIServerAddress string `yaml:"apiServerAddress"`
	APIServerPort    int    `yaml:"apiServerPort"`
	KubeProxyMode    string `yaml:"kubeProxyMode"`
}

// Patches are the parts of kubeadm's configuration that a shape may set.
type Patches struct {
	// ExtraArgs of each component, by flag name without dashes.
	ExtraArgs map[string]map[string]string
	// Kubelet and KubeProxy are merged into the components' configuration files.
	Kubelet   map[string]any
	KubeProxy map[string]any
}

// Roles counts the nodes of each role.
func (c *Cluster) Roles() (controlPlanes, workers int) {
	for _, n := range c.Nodes {
		if n.Role == "control-plane" {
			controlPlanes++
		} else {
			workers++
		}
	}
	return controlPlanes, workers
}
