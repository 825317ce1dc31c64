package cni

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/plumb-k8s/plumb/orchestrator/podnetwork/allocation"
)

// stateFolder is where allocations are kept unless the configuration says otherwise.
const stateFolder = "/var/lib/cni/plumb"

// Config is the plugin's part of a network configuration, as the route agent writes it and the runtime passes it on.
type Config struct {
	CNIVersion string `json:"cniVersion"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	// PodCIDRs are the ranges of this node, one per IP family.
	PodCIDRs []string `json:"podCIDRs"`
	MTU      int      `json:"mtu,omitempty"`
	// DataDir is where allocations are kept.
	DataDir string `json:"dataDir,omitempty"`

	RuntimeConfig struct {
		PortMappings []portMapping `json:"portMappings"`
	} `json:"runtimeConfig"`
	PrevResult *Result `json:"prevResult"`
	// ValidAttachments are those that GC spares.
	ValidAttachments []attachment `json:"cni.dev/valid-attachments"`
}

type portMapping struct {
	HostPort      int    `json:"hostPort"`
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol"`
	HostIP        string `json:"hostIP"`
}

type attachment struct {
	ContainerID string `json:"containerID"`
	IfName      string `json:"ifname"`
}

// Result of ADD.
type Result struct {
	CNIVersion string         `json:"cniVersion"`
	Interfaces []interfaceOf  `json:"interfaces"`
	IPs        []address      `json:"ips"`
	Routes     []route        `json:"routes"`
	DNS        map[string]any `json:"dns"`
}

type interfaceOf struct {
	Name    string `json:"name"`
	MAC     string `json:"mac"`
	Sandbox string `json:"sandbox,omitempty"`
}

type address struct {
	Address   string `json:"address"`
	Gateway   string `json:"gateway"`
	Interface int    `json:"interface"`
}

type route struct {
	Destination string `json:"dst"`
	Gateway     string `json:"gw"`
}

func (c *Config) folder() string {
	if c.DataDir != "" {
		return c.DataDir
	}
	return stateFolder
}

func (c *Config) ranges() ([]netip.Prefix, error) {
	if len(c.PodCIDRs) == 0 {
		return nil, failure(codeInvalidConfig, "podCIDRs is empty")
	}
	var out []netip.Prefix
	for _, text := range c.PodCIDRs {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, failure(codeInvalidConfig, "podCIDRs: %w", err)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (c *Config) ports() ([]allocation.Port, error) {
	var out []allocation.Port
	for _, m := range c.RuntimeConfig.PortMappings {
		if m.HostPort == 0 {
			continue
		}
		if m.HostPort < 1 || m.HostPort > 65535 || m.ContainerPort < 1 || m.ContainerPort > 65535 {
			return nil, failure(codeInvalidConfig, "portMappings: host port %d and container port %d: must be within 1 and 65535", m.HostPort, m.ContainerPort)
		}
		p := allocation.Port{HostPort: uint16(m.HostPort), ContainerPort: uint16(m.ContainerPort), Protocol: strings.ToLower(m.Protocol)}
		if p.Protocol == "" {
			p.Protocol = "tcp"
		}
		if m.HostIP != "" {
			ip, err := netip.ParseAddr(m.HostIP)
			if err != nil {
				return nil, failure(codeInvalidConfig, "portMappings: hostIP: %w", err)
			}
			p.Host = ip
		}
		out = append(out, p)
	}
	return out, nil
}

// The names that the spec allows.
var (
	containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	linkName      = regexp.MustCompile(`^[^/:\s]{1,15}$`)
)

// owner reads whom a call is about.
func (e Environment) owner() (allocation.Owner, error) {
	if !containerName.MatchString(e.Container) {
		return allocation.Owner{}, failure(codeInvalidEnvironment, "CNI_CONTAINERID=%q is not a container's name", e.Container)
	}
	if !linkName.MatchString(e.Interface) || e.Interface == "." || e.Interface == ".." {
		return allocation.Owner{}, failure(codeInvalidEnvironment, "CNI_IFNAME=%q is not an interface's name", e.Interface)
	}
	return allocation.Owner{Container: e.Container, Interface: e.Interface}, nil
}
