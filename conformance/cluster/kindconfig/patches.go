package kindconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	proxyconfig "k8s.io/kube-proxy/config/v1alpha1"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"
	strict "sigs.k8s.io/json"
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
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return at.errorf(path, "is not YAML: %v", err)
		}
		doc := map[string]any{}
		if err := node.Decode(&doc); err != nil {
			return at.errorf(path, "is no configuration: %v", err)
		}
		if err := p.document(patch{at: at, path: path, root: node.Content[0]}, doc); err != nil {
			return err
		}
	}
}

func (p *Patches) document(at patch, doc map[string]any) error {
	kind, _ := doc["kind"].(string)
	delete(doc, "kind")
	switch kind {
	case "KubeletConfiguration":
		return at.component(&p.Kubelet, doc, kind, kubeletconfig.SchemeGroupVersion.String(), &kubeletconfig.KubeletConfiguration{})
	case "KubeProxyConfiguration":
		return at.component(&p.KubeProxy, doc, kind, proxyconfig.SchemeGroupVersion.String(), &proxyconfig.KubeProxyConfiguration{})
	case "ClusterConfiguration":
		delete(doc, "apiVersion")
		return p.clusterConfiguration(at, doc)
	}
	return at.errorf("kind", "kind %q is not supported: only ClusterConfiguration (extraArgs), KubeletConfiguration and KubeProxyConfiguration are", kind)
}

// component takes a component's configuration, every field of which must be one of its kind, and of its type.
func (at patch) component(into *map[string]any, doc map[string]any, kind, version string, typed any) error {
	if said, given := doc["apiVersion"]; given && said != version {
		return at.errorf("apiVersion", "must be %s, not %q", version, said)
	}
	delete(doc, "apiVersion")
	if *into != nil {
		return at.errorf("kind", "a second %s", kind)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return at.errorf("kind", "%v", err)
	}
	wrong, err := strict.UnmarshalStrict(text, typed, strict.DisallowUnknownFields)
	if err = errors.Join(append(wrong, err)...); err != nil {
		said, _, _ := strings.Cut(err.Error(), "\n")
		if m := strangeField.FindStringSubmatch(said); m != nil {
			return at.errorf(m[1], "there is no such field in %s", kind)
		}
		if m := wrongType.FindStringSubmatch(said); m != nil {
			return at.errorf(m[2], "must be of type %s, not %s", m[3], m[1])
		}
		return at.errorf("kind", "%s: %s", kind, said)
	}
	*into = doc
	return nil
}

var (
	strangeField = regexp.MustCompile(`unknown field "([^"]+)"`)
	wrongType    = regexp.MustCompile(`cannot unmarshal (\S+) .*into Go struct field [A-Za-z]+\.(\S+) of type (\S+)`)
)

func (p *Patches) clusterConfiguration(at patch, doc map[string]any) error {
	for key, value := range doc {
		component, field := components[key], key
		if key == "etcd" {
			etcd, err := at.fields("etcd", value, "local")
			if err != nil {
				return err
			}
			component, field, value = "etcd", "etcd.local", etcd["local"]
		}
		if component == "" {
			return at.errorf(key, "field %s is not supported: only extraArgs of apiServer, controllerManager, scheduler and etcd.local are", key)
		}
		body, err := at.fields(field, value, "extraArgs")
		if err != nil {
			return err
		}
		if err := p.extraArgs(at, field+".extraArgs", component, body["extraArgs"]); err != nil {
			return err
		}
	}
	return nil
}

// extraArgs come as a map (v1beta3) or as a list of name and value (v1beta4).
func (p *Patches) extraArgs(at patch, field, component string, value any) error {
	if p.ExtraArgs[component] == nil {
		p.ExtraArgs[component] = map[string]string{}
	}
	switch args := value.(type) {
	case nil:
	case map[string]any:
		for name, value := range args {
			if err := p.flag(at, field+"."+name, component, name, value); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range args {
			field := fmt.Sprintf("%s.%d", field, i)
			arg, err := at.fields(field, item, "name", "value")
			if err != nil {
				return err
			}
			name, ok := arg["name"].(string)
			if _, valued := arg["value"]; !ok || name == "" || !valued {
				return at.errorf(field, "each of extraArgs needs a name and a value")
			}
			if err := p.flag(at, field, component, name, arg["value"]); err != nil {
				return err
			}
		}
	default:
		return at.errorf(field, "must be a map or a list of name and value, not %v", value)
	}
	return nil
}

// flag sets one flag of a component.
func (p *Patches) flag(at patch, field, component, name string, value any) error {
	switch value.(type) {
	case string, bool, int, float64:
		p.ExtraArgs[component][name] = fmt.Sprint(value)
		return nil
	}
	return at.errorf(field, "the value of a flag must be a word or a number, not %v", value)
}

// fields are those of a map that may have these only.
func (at patch) fields(field string, value any, known ...string) (map[string]any, error) {
	body, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, at.errorf(field, "must hold %s, not be %v", strings.Join(known, " and "), value)
	}
	for key := range body {
		if !slices.Contains(known, key) {
			return nil, at.errorf(field+"."+key, "field %s is not supported: only %s is", key, strings.Join(known, " and "))
		}
	}
	return body, nil
}
