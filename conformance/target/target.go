// Package target is the cluster under test as specs reach it: clients, images, effective time limits.
//
// plumb check sets it once, before any spec runs; scene and the specs read it. It holds no state of a single spec.
package target

import (
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/plumb-k8s/plumb/conformance/cluster"
)

// Target is one cluster under test.
type Target struct {
	Cluster cluster.Cluster
	Config  *rest.Config
	Client  kubernetes.Interface
	// Repository is where fixture images are pulled from: docker.io/plumb by default.
	Repository string
	// Shard tells apart the processes of one check: it stands in the names of namespaces.
	Shard string
}

// Image is the reference of a fixture image.
func (t *Target) Image(name string) string {
	return fmt.Sprintf("%s/%s:%s", t.Repository, name, ImageVersion)
}

// ImageVersion is the tag of all fixture images of this harness.
const ImageVersion = "v1"

// New makes the clients of a cluster.
func New(c cluster.Cluster, repository, shard string) (*Target, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(c.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", c.Name(), err)
	}
	cfg.QPS, cfg.UserAgent = -1, "plumb-check"
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.Name(), err)
	}
	return &Target{Cluster: c, Config: cfg, Client: api, Repository: repository, Shard: shard}, nil
}

var current *Target

// Set names the cluster that this process tests: once, before the specs run.
func Set(t *Target) { current = t }

// Get returns it.
func Get() *Target { return current }
