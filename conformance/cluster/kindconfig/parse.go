package kindconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: a second document: a file holds one cluster", file, second.Content[0].Line)
	} else if !errors.Is(err, io.EOF) {
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
	controlPlanes, hosts := 0, map[string]string{}
	for i, n := range c.Nodes {
		switch n.Role {
		case "control-plane", "":
			controlPlanes++
		case "worker":
		default:
			return at.errorf(fmt.Sprintf("nodes.%d.role", i), "must be control-plane or worker, not %q", n.Role)
		}
		if err := n.check(at, fmt.Sprintf("nodes.%d", i), hosts); err != nil {
			return err
		}
	}
	if len(c.Nodes) > 0 && controlPlanes == 0 {
		return at.errorf("nodes", "at least one node must have role control-plane")
	}
	return c.Networking.check(at, len(c.Nodes))
}

var nameFormat = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// The subnets of who names none.
const (
	defaultPods     = "10.244.0.0/16"
	defaultServices = "10.96.0.0/16"
)

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
		c.Networking.PodSubnet = defaultPods
	}
	if c.Networking.ServiceSubnet == "" {
		c.Networking.ServiceSubnet = defaultServices
	}
	if c.Networking.APIServerPort == anyPort {
		c.Networking.APIServerPort = 0
	}
	if c.Networking.APIServerAddress == "" {
		c.Networking.APIServerAddress = "127.0.0.1"
	}
}
