package runtime

import (
	"context"
	"testing"
	"time"

	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// heedful is a runtime that obeys the context of a call, as containerd does.
type heedful struct {
	criapi.RuntimeService
	criapi.ImageManagerService
}

func (heedful) Close(context.Context) error { return nil }
func (heedful) RunPodSandbox(ctx context.Context, _ *runtimeapi.PodSandboxConfig, _ string) (string, error) {
	return "s", ctx.Err()
}
func (heedful) StopPodSandbox(ctx context.Context, _ string) error   { return ctx.Err() }
func (heedful) RemovePodSandbox(ctx context.Context, _ string) error { return ctx.Err() }
func (heedful) CreateContainer(ctx context.Context, _ string, _ *runtimeapi.ContainerConfig, _ *runtimeapi.PodSandboxConfig) (string, error) {
	return "c", ctx.Err()
}
func (heedful) StartContainer(ctx context.Context, _ string) error  { return ctx.Err() }
func (heedful) RemoveContainer(ctx context.Context, _ string) error { return ctx.Err() }
func (heedful) UpdateContainerResources(ctx context.Context, _ string, _ *runtimeapi.ContainerResources) error {
	return ctx.Err()
}
func (heedful) StopContainer(ctx context.Context, _ string, _ int64) error { return ctx.Err() }
func (heedful) ExecSync(ctx context.Context, _ string, _ []string, _ time.Duration) ([]byte, []byte, error) {
	return nil, nil, ctx.Err()
}
func (heedful) PullImage(ctx context.Context, _ *runtimeapi.ImageSpec, _ *runtimeapi.AuthConfig, _ *runtimeapi.PodSandboxConfig) (string, error) {
	return "i", ctx.Err()
}

// A pod that was deleted while its container started was said to have failed with StartError, "context canceled".
func TestWhatACallMakesIsNotCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Client{RuntimeService: heedful{}, ImageManagerService: heedful{}}
	second := func(_ string, err error) error { return err }
	for name, row := range map[string]struct {
		call        func() error
		cancellable bool
	}{
		"RunPodSandbox":            {func() error { return second(c.RunPodSandbox(ctx, nil, "")) }, false},
		"StopPodSandbox":           {func() error { return c.StopPodSandbox(ctx, "s") }, false},
		"RemovePodSandbox":         {func() error { return c.RemovePodSandbox(ctx, "s") }, false},
		"CreateContainer":          {func() error { return second(c.CreateContainer(ctx, "s", nil, nil)) }, false},
		"StartContainer":           {func() error { return c.StartContainer(ctx, "c") }, false},
		"RemoveContainer":          {func() error { return c.RemoveContainer(ctx, "c") }, false},
		"Remove":                   {func() error { return c.Remove(ctx, "c") }, false},
		"UpdateContainerResources": {func() error { return c.UpdateContainerResources(ctx, "c", nil) }, false},
		"StopContainer":            {func() error { return c.StopContainer(ctx, "c", 1) }, true},
		"ExecSync":                 {func() error { _, _, err := c.ExecSync(ctx, "c", nil, 0); return err }, true},
		"PullImage":                {func() error { return second(c.PullImage(ctx, nil, nil, nil)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := row.call(); (err != nil) != row.cancellable {
				t.Errorf("with a cancelled context: %v", err)
			}
		})
	}
}
