package images

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	criapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// registry has every image once it was pulled.
type registry struct {
	criapi.ImageManagerService
	pulled map[string]bool
}

func (r *registry) ImageStatus(_ context.Context, i *runtimeapi.ImageSpec, _ bool) (*runtimeapi.ImageStatusResponse, error) {
	if !r.pulled[i.Image] {
		return &runtimeapi.ImageStatusResponse{}, nil
	}
	return &runtimeapi.ImageStatusResponse{Image: &runtimeapi.Image{Id: i.Image}}, nil
}

func (r *registry) PullImage(_ context.Context, i *runtimeapi.ImageSpec, _ *runtimeapi.AuthConfig, _ *runtimeapi.PodSandboxConfig) (string, error) {
	r.pulled[i.Image] = true
	return i.Image, nil
}

// registryPullQPS and registryBurst were ignored.
func TestPullsBeyondTheRateFail(t *testing.T) {
	p := New(&runtime.Client{ImageManagerService: &registry{pulled: map[string]bool{}}}, 0)
	p.Rate = flowcontrol.NewTokenBucketPassiveRateLimiter(0.0001, 2)
	pull := func(image string) error {
		_, err := p.Ensure(t.Context(), Request{Pod: &corev1.Pod{}, Image: image, Policy: corev1.PullIfNotPresent, Event: func(string, string, string) {}})
		return err
	}
	for _, image := range []string{"a:1", "b:1", "a:1"} { // what is present takes nothing of the rate
		if err := pull(image); err != nil {
			t.Fatalf("%s: %v", image, err)
		}
	}
	var why *Error
	if err := pull("c:1"); !errors.As(err, &why) || why.Reason != ErrImagePull || !strings.Contains(why.Message, "pull QPS exceeded") || why.Retry <= 0 {
		t.Errorf("%v", err)
	}
}
