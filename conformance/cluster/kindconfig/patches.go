package kindconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// components maps kubeadm's names of the control plane's parts to the components.
var components = map[string]string{"apiServer": "kube-apiserver", "controllerManager": "kube-controller-manager", "scheduler": "kube-scheduler"}

func (c *Cluster) parsePatches(at locator) error {
	c.Patches = Patches{ExtraArgs: map[string]map[string]string{}}
	for i, text := range c.KubeadmConfigPatches {
		if err := c.Patches.add(at, fmt.Sprintf("kubeadmConfigPatches.%d", i), text); err != nil {
			return err
		}
	}
	for i, n := range c.Nodes {
		if len(n.KubeadmConfigPatches) > 0 {
			return at.errorf(fmt.Sprintf("nodes.%d.kubeadmConfigPatches", i), "is supported for the whole cluster only: move it to the top level")
		}
	}
	return nil
}

func (p *Patches) add(at locator, path, text string) error {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		doc := map[string]any{}
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return at.errorf(path, "is not YAML: %v", err)
		}
		if err := p.document(at, path, doc); err != nil {
			return err
		}
	}
}

func (p *Patches) document(at locator, path string, doc map[string]any) error {
	kind, _ := doc["kind"].(string)
	delete(doc, "kind")
	delete(doc, "apiVersion")
	switch kind {
	case "KubeletConfiguration":
		p.Kubelet = doc
	case "KubeProxyConfiguration":
		p.KubeProxy = doc
	case "ClusterConfiguration":
		return p.clusterConfiguration(at, path, doc)
	default:
		return at.errorf(path, "kind %q is not supported: only ClusterConfiguration (extraArgs), KubeletConfiguration and KubeProxyConfiguration are", kind)
	}
	return nil
}

func (p *Patches) clusterConfiguration(at locator, path string, doc map[string]any) error {
	for key, value := range doc {
		if key == "etcd" {
			etcd, _ := value.(map[string]any)
			local, _ := etcd["local"].(map[string]any)
			if err := p.extraArgs(at, path+": etcd.local", "etcd", local); err != nil {
				return err
			}
			continue
		}
		component, ok := components[key]
		if !ok {
			return at.errorf(path, "field %s is not supported: only extraArgs of apiServer, controllerManager, scheduler and etcd.local are", key)
		}
		body, _ := value.(map[string]any)
		if err := p.extraArgs(at, path+": "+key, component, body); err != nil {
			return err
		}
	}
	return nil
}

// extraArgs come as a map (v1beta3) or as a list of name and value (v1beta4).
func (p *Patches) extraArgs(at locator, path, component string, body map[string]any) error {
	for key := range body {
		if key != "extraArgs" {
			return at.errorf(path, "field %s is not supported: only extraArgs is", key)
		}
	}
	if p.ExtraArgs[component] == nil {
		p.ExtraArgs[component] = map[string]string{}
	}
	switch args := body["extraArgs"].(type) {
	case nil:
	case map[string]any:
		for name, value := range args {
			p.ExtraArgs[component][name] = fmt.Sprint(value)
		}
	case []any:
		for _, item := range args {
			arg, _ := item.(map[string]any)
			name, ok := arg["name"].(string)
			if !ok {
				return at.errorf(path, "each of extraArgs needs a name and a value")
			}
			p.ExtraArgs[component][name] = fmt.Sprint(arg["value"])
		}
	default:
		return at.errorf(path, "extraArgs must be a map or a list of name and value")
	}
	return nil
}
