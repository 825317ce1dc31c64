package main

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/cluster/engine"
	"github.com/plumb-k8s/plumb/conformance/cluster/existing"
)

// peer is a cluster that somebody else booted from containers of this engine, named as their nodes.
type peer struct {
	cluster.Cluster
	control cluster.Control
}

// Control over its containers.
func (p *peer) Control() cluster.Control { return p.control }

// openPeer opens a kubeconfig and finds the containers of its nodes.
func openPeer(ctx context.Context, kubeconfig, faultImage string) (*peer, error) {
	c, err := existing.Open(ctx, kubeconfig)
	if err != nil {
		return nil, err
	}
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	containers := map[string]string{}
	for _, n := range c.Nodes() {
		containers[n.Name] = n.Name
	}
	control := engine.New(engine.Config{Docker: docker, Containers: containers, FaultImage: faultImage})
	return &peer{c, control}, control.Check(ctx)
}
