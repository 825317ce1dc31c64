// Package client says how a component reaches the apiserver: a rest.Config from a kubeconfig, with the settings that every component shares.
//
// It builds no clients: each component makes the few typed ones it needs, so that none carries all of client-go.
package client

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config reads a kubeconfig (empty: the in-cluster configuration). Requests are protobuf where the kind allows it and are not limited
// on the client's side: fairness is the server's job.
func Config(kubeconfig, userAgent string) (*rest.Config, error) {
	cfg, err := load(kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.UserAgent = userAgent + "/v1.37.2+plumb"
	cfg.QPS = -1
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return cfg, nil
}

func load(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("--kubeconfig is not given and this is no pod: %w", err)
		}
		return cfg, nil
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig=%s: %w", kubeconfig, err)
	}
	return cfg, nil
}
