package server

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// outliving is a runtime to which a container that is gone has ended: a pod that is being deleted takes its containers away while their logs are
// still followed, and the last lines are there to be read.
type outliving struct{ criapi.RuntimeService }

// ContainerStatus implements criapi.RuntimeService.
func (o outliving) ContainerStatus(ctx context.Context, id string, verbose bool) (*runtimeapi.ContainerStatusResponse, error) {
	answer, err := o.RuntimeService.ContainerStatus(ctx, id, verbose)
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{Id: id, State: runtimeapi.ContainerState_CONTAINER_EXITED}}, nil
	}
	return answer, err
}
