// Package addons gives a new cluster what every cluster has: cluster DNS, the proxies' rights, the marks of control planes and the labels
// that its description gives to nodes.
//
// Every control plane does it, so that the first ready one suffices. Objects that are there are left alone: people may change them.
package addons

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"

	"github.com/plumb-k8s/plumb/orchestrator/supervisor/api"
	"github.com/plumb-k8s/plumb/orchestrator/supervisor/description"
)

//go:embed *.yaml
var manifests embed.FS

// object is an API object and the collection to which it is posted.
type object struct {
	collection string
	body       api.Object
}

func (o object) path() string {
	metadata, _ := o.body["metadata"].(api.Object)
	name, _ := metadata["name"].(string)
	return o.collection + "/" + name
}

// collections of the kinds that add-ons have; %s is the namespace.
var collections = map[string]string{
	"ServiceAccount":     "/api/v1/namespaces/%s/serviceaccounts",
	"ConfigMap":          "/api/v1/namespaces/%s/configmaps",
	"Service":            "/api/v1/namespaces/%s/services",
	"Deployment":         "/apis/apps/v1/namespaces/%s/deployments",
	"ClusterRole":        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
	"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}

// objects are all add-ons of a cluster, in the order in which they are made.
func objects(c *description.Cluster) ([]object, error) {
	all, err := template.ParseFS(manifests, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("add-ons: %w", err)
	}
	var made []object
	for _, name := range []string{"proxy.yaml", "dns.yaml"} {
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, name, c); err != nil {
			return nil, fmt.Errorf("add-on %s: %w", name, err)
		}
		for _, document := range strings.Split(text.String(), "\n---\n") {
			o, err := parse(document)
			if err != nil {
				return nil, fmt.Errorf("add-on %s: %w", name, err)
			}
			made = append(made, o)
		}
	}
	return made, nil
}

func parse(document string) (object, error) {
	o := object{}
	if err := yaml.Unmarshal([]byte(document), &o.body); err != nil {
		return o, err
	}
	kind, _ := o.body["kind"].(string)
	collection, known := collections[kind]
	if !known {
		return o, fmt.Errorf("kind %q has no collection", kind)
	}
	metadata, _ := o.body["metadata"].(api.Object)
	if namespace, ok := metadata["namespace"].(string); ok {
		collection = fmt.Sprintf(collection, namespace)
	}
	o.collection = collection
	return o, nil
}
