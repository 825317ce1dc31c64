package server

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/follow"
)

// running asks the runtime whether a container runs whose log is followed. One that is gone has ended: a pod that is being deleted takes its
// containers away meanwhile, and the last lines are there to be read. A runtime that is away is no news: containers outlive its restart.
func running(runtime criapi.RuntimeService, id string) follow.Running {
	return func(ctx context.Context) (bool, error) {
		answer, err := runtime.ContainerStatus(ctx, id, false)
		switch status.Code(err) {
		case codes.OK:
			return answer.GetStatus().GetState() == runtimeapi.ContainerState_CONTAINER_RUNNING, nil
		case codes.NotFound:
			return false, nil
		case codes.Unavailable:
			return true, nil
		}
		return false, err
	}
}
