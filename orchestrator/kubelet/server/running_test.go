package server

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// answering is a runtime that gives every question one answer.
type answering struct {
	criapi.RuntimeService
	state runtimeapi.ContainerState
	err   error
}

func (a answering) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: a.state}}, nil
}

// A followed log ended with "failed to read the log" when its container was removed first (found by NODE-010).
func TestWhoseLogIsFollowedRuns(t *testing.T) {
	for name, row := range map[string]struct {
		runtime  answering
		runs, ok bool
	}{
		"running":                 {answering{state: runtimeapi.ContainerState_CONTAINER_RUNNING}, true, true},
		"ended":                   {answering{state: runtimeapi.ContainerState_CONTAINER_EXITED}, false, true},
		"removed":                 {answering{err: status.Error(codes.NotFound, "no such container")}, false, true},
		"the runtime is away":     {answering{err: status.Error(codes.Unavailable, "restarting")}, true, true},
		"the runtime is too slow": {answering{err: status.Error(codes.DeadlineExceeded, "slow")}, false, false},
		"something else":          {answering{err: errors.New("else")}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if runs, err := running(row.runtime, "c")(t.Context()); runs != row.runs || (err == nil) != row.ok {
				t.Errorf("%t, %v", runs, err)
			}
		})
	}
}
