package runtime

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Running lists the pods that have a ready sandbox or a running container, the newest first, with their running containers (name and image only).
func (c *Client) Running(ctx context.Context) ([]*Pod, error) {
	sandboxes, err := c.ListPodSandbox(ctx, &runtimeapi.PodSandboxFilter{State: &runtimeapi.PodSandboxStateValue{State: runtimeapi.PodSandboxState_SANDBOX_READY}})
	if err != nil {
		return nil, fmt.Errorf("list the sandboxes that are ready: %w", err)
	}
	containers, err := c.ListContainers(ctx, &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: Running}})
	if err != nil {
		return nil, fmt.Errorf("list the containers that run: %w", err)
	}
	slices.SortFunc(sandboxes, func(a, b *runtimeapi.PodSandbox) int { return cmp.Compare(b.CreatedAt, a.CreatedAt) })
	var all []*Pod
	known := map[string]*Pod{}
	pod := func(labels map[string]string) *Pod {
		uid := labels[LabelPodUID]
		if uid == "" {
			return &Pod{} // made by something else than a kubelet: shown to nobody
		}
		if known[uid] == nil {
			known[uid] = &Pod{UID: uid, Name: labels[LabelPodName], Namespace: labels[LabelPodNamespace]}
			all = append(all, known[uid])
		}
		return known[uid]
	}
	for _, s := range sandboxes {
		pod(s.Labels)
	}
	for _, listed := range containers {
		p := pod(listed.Labels)
		image := cmp.Or(listed.GetImage().GetUserSpecifiedImage(), listed.GetImage().GetImage())
		p.Containers = append(p.Containers, &Container{ID: listed.Id, Name: listed.Labels[LabelContainerName], State: Running, Image: image})
	}
	return all, nil
}
