package kindconfig

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

const apiVersion = "kind.x-k8s.io/v1alpha4"

// Load reads a shape from a file.
func Load(path string) (*Cluster, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kind-config: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a shape; file is its name in errors. Every error names file, line and field.
func Parse(file string, data []byte) (*Cluster, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, syntaxError(file, err)
	}
	if len(root.Content) == 0 {
		return nil, fmt.Errorf("%s:1: the file is empty; it needs kind: Cluster and apiVersion: %s", file, apiVersion)
	}
	c := &Cluster{}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil {
		return nil, syntaxError(file, err)
	}
	position := locator{file: file, root: root.Content[0]}
	if err := c.check(position); err != nil {
		return nil, err
	}
	c.fill()
	return c, c.parsePatches(position)
}

var (
	lineOf  = regexp.MustCompile(`line (\d+): (.*)`)
	unknown = regexp.MustCompile(`field (\S+) not found in type kindconfig\.(\S+)`)
)

// syntaxError turns yaml's messages into FILE:LINE: text.
func syntaxError(file string, err error) error {
	text := err.Error()
	var typed *yaml.TypeError
	if errors.As(err, &typed) && len(typed.Errors) > 0 {
		text = typed.Errors[0]
	}
	m := lineOf.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%s: %s", file, strings.TrimPrefix(text, "yaml: "))
	}
	if u := unknown.FindStringSubmatch(m[2]); u != nil {
		return fmt.Errorf("%s:%s: field %s is not supported in %s", file, m[1], u[1], strings.ToLower(u[2]))
	}
	return fmt.Errorf("%s:%s: %s", file, m[1], m[2])
}

// check refuses values that no cluster can be made of.
func (c *Cluster) check(at locator) error {
	switch {
	case c.Kind != "Cluster":
		return at.errorf("kind", "must be Cluster, not %q", c.Kind)
	case c.APIVersion != apiVersion:
		return at.errorf("apiVersion", "must be %s, not %q", apiVersion, c.APIVersion)
	case c.Name != "" && !nameFormat.MatchString(c.Name):
		return at.errorf("name", "%q must be lower-case letters, digits and dashes", c.Name)
	}
	controlPlanes := 0
	for i, n := range c.Nodes {
		switch n.Role {
		case "control-plane", "":
			controlPlanes++
		case "worker":
		default:
			return at.errorf(fmt.Sprintf("nodes.%d.role", i), "must be control-plane or worker, not %q", n.Role)
		}
		for j, p := range n.ExtraPortMappings {
			if p.ContainerPort < 1 || p.ContainerPort > 65535 || p.HostPort < 0 || p.HostPort > 65535 {
				return at.errorf(fmt.Sprintf("nodes.%d.extraPortMappings.%d", i, j), "ports must be 1 to 65535")
			}
		}
	}
	if len(c.Nodes) > 0 && controlPlanes == 0 {
		return at.errorf("nodes", "at least one node must have role control-plane")
	}
	return c.Networking.check(at)
}

var nameFormat = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

func (n Networking) check(at locator) error {
	if n.IPFamily != "" && n.IPFamily != "ipv4" {
		return at.errorf("networking.ipFamily", "must be ipv4, not %q", n.IPFamily)
	}
	if n.KubeProxyMode != "" && n.KubeProxyMode != "nftables" {
		return at.errorf("networking.kubeProxyMode", "must be nftables, not %q", n.KubeProxyMode)
	}
	for name, value := range map[string]string{"podSubnet": n.PodSubnet, "serviceSubnet": n.ServiceSubnet} {
		if value == "" {
			continue
		}
		if p, err := netip.ParsePrefix(value); err != nil || !p.Addr().Is4() {
			return at.errorf("networking."+name, "%q is not an IPv4 subnet like 10.244.0.0/16", value)
		}
	}
	if n.APIServerAddress != "" {
		if _, err := netip.ParseAddr(n.APIServerAddress); err != nil {
			return at.errorf("networking.apiServerAddress", "%q is not an address", n.APIServerAddress)
		}
	}
	return nil
}

// fill sets kind's defaults.
func (c *Cluster) fill() {
	if c.Name == "" {
		c.Name = "plumb"
	}
	if len(c.Nodes) == 0 {
		c.Nodes = []Node{{Role: "control-plane"}}
	}
	for i := range c.Nodes {
		if c.Nodes[i].Role == "" {
			c.Nodes[i].Role = "control-plane"
		}
	}
	if c.Networking.PodSubnet == "" {
		c.Networking.PodSubnet = "10.244.0.0/16"
	}
	if c.Networking.ServiceSubnet == "" {
		c.Networking.ServiceSubnet = "10.96.0.0/16"
	}
	if c.Networking.APIServerAddress == "" {
		c.Networking.APIServerAddress = "127.0.0.1"
	}
}
