package server

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// forgetful is a runtime that answers every question with one error.
type forgetful struct {
	criapi.RuntimeService
	err error
}

func (f forgetful) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	return nil, f.err
}

// A followed log ended with "failed to read the log" when its container was removed first (found by NODE-010).
func TestARemovedContainerHasEnded(t *testing.T) {
	answer, err := outliving{forgetful{err: status.Error(codes.NotFound, "no such container")}}.ContainerStatus(t.Context(), "c", false)
	if err != nil || answer.Status.State != runtimeapi.ContainerState_CONTAINER_EXITED {
		t.Errorf("%v, %v; want an ended container", answer, err)
	}
	if _, err := (outliving{forgetful{err: status.Error(codes.Unavailable, "restarting")}}).ContainerStatus(t.Context(), "c", false); err == nil {
		t.Error("a runtime that does not answer is an error, not an end")
	}
}
