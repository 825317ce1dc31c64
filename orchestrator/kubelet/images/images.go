// Package images makes a container's image present: pull policies, credentials, back-off, and the words of stock's events.
//
// Workers ask it right before they create a container. It remembers failures only. Its Collector removes images that no container uses when
// their disk fills up, or when eviction asks for it.
package images

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/backoff"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Reasons of a waiting container.
const (
	ErrImagePull      = "ErrImagePull"
	ImagePullBackOff  = "ImagePullBackOff"
	ErrImageNeverPull = "ErrImageNeverPull"
	InvalidImageName  = "InvalidImageName"
	ImageInspectError = "ImageInspectError"
)

// Error is why a container waits for its image.
type Error struct {
	Reason, Message string
	// Retry is how long to wait before asking again.
	Retry time.Duration
}

func (e *Error) Error() string { return e.Message }

// Image is what a container is created from.
type Image struct {
	Ref  string
	UID  *int64
	User string
}

// Event records about the container that the image is for.
type Event func(kind, reason, message string)

// Puller keeps images present.
type Puller struct {
	Client *runtime.Client
	Now    func() time.Time
	// Slots bounds parallel pulls; nil means no bound.
	Slots chan struct{}
	// Rate bounds how often a pull may begin; nil means no bound. One too many fails, and is tried again after its back-off.
	Rate flowcontrol.PassiveRateLimiter

	failures *backoff.Table
}

// First and longest wait between two pulls of an image that failed.
const (
	firstWait = 10 * time.Second
	maxWait   = 5 * time.Minute
)

// New makes a puller; parallel 0 means without bound.
func New(client *runtime.Client, parallel int) *Puller {
	p := &Puller{Client: client, Now: time.Now, failures: backoff.New(firstWait, maxWait)}
	if parallel > 0 {
		p.Slots = make(chan struct{}, parallel)
	}
	return p
}

// Request for an image.
type Request struct {
	Pod     *corev1.Pod
	Image   string
	Policy  corev1.PullPolicy
	Secrets []*corev1.Secret
	Sandbox *runtimeapi.PodSandboxConfig
	Event   Event
}

// Ensure returns the image, pulled if the policy wants it. Its errors are *Error.
func (p *Puller) Ensure(ctx context.Context, r Request) (*Image, error) {
	name, err := WithTag(r.Image)
	if err != nil {
		message := fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: invalid reference format", r.Image, r.Image)
		r.Event(corev1.EventTypeWarning, "InspectFailed", message)
		return nil, &Error{Reason: InvalidImageName, Message: message, Retry: firstWait}
	}
	present, err := p.status(ctx, name)
	if err != nil {
		message := fmt.Sprintf("Failed to inspect image %q: %v", r.Image, err)
		r.Event(corev1.EventTypeWarning, "InspectFailed", message)
		return nil, &Error{Reason: ImageInspectError, Message: message, Retry: firstWait}
	}
	switch {
	case present != nil && r.Policy != corev1.PullAlways:
		r.Event(corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", r.Image))
		return present, nil
	case present == nil && r.Policy == corev1.PullNever:
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", r.Image)
		r.Event(corev1.EventTypeWarning, ErrImageNeverPull, message)
		return nil, &Error{Reason: ErrImageNeverPull, Message: message, Retry: firstWait}
	}
	return p.pull(ctx, r, name)
}

func (p *Puller) pull(ctx context.Context, r Request, name string) (*Image, error) {
	key := string(r.Pod.UID) + "_" + r.Image
	if left := p.failures.Remaining(key, time.Time{}, p.Now()); left > 0 {
		message := fmt.Sprintf("Back-off pulling image %q", r.Image)
		r.Event(corev1.EventTypeNormal, "BackOff", message)
		return nil, &Error{Reason: ImagePullBackOff, Message: message, Retry: left}
	}
	r.Event(corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", r.Image))
	asked := p.Now()
	started, err := asked, p.acquire(ctx)
	if err == nil {
		started = p.Now()
		if p.Rate != nil && !p.Rate.TryAccept() {
			err = errors.New("pull QPS exceeded")
		} else {
			err = p.pullWith(ctx, r, name)
		}
		p.release()
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, &Error{Reason: ErrImagePull, Message: err.Error()}
		}
		p.failures.Next(key, p.Now())
		r.Event(corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", r.Image, err))
		return nil, &Error{Reason: ErrImagePull, Message: fmt.Sprintf("failed to pull image %q: %v", r.Image, plain(err)), Retry: p.failures.Remaining(key, time.Time{}, p.Now())}
	}
	p.failures.Forget(key)
	image, size, err := p.sized(ctx, name)
	if err != nil || image == nil {
		return nil, &Error{Reason: ImageInspectError, Message: fmt.Sprintf("Failed to inspect image %q: %v", r.Image, err), Retry: firstWait}
	}
	now := p.Now()
	r.Event(corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Successfully pulled image %q in %v (%v including waiting). Image size: %d bytes.",
		r.Image, now.Sub(started).Truncate(time.Millisecond), now.Sub(asked).Truncate(time.Millisecond), size))
	return image, nil
}

func (p *Puller) acquire(ctx context.Context) error {
	if p.Slots == nil {
		return nil
	}
	select {
	case p.Slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Puller) release() {
	if p.Slots != nil {
		<-p.Slots
	}
}

// pullWith tries each credential that fits, and none when there is none.
func (p *Puller) pullWith(ctx context.Context, r Request, name string) error {
	credentials := Credentials(r.Secrets, name)
	spec := &runtimeapi.ImageSpec{Image: name}
	if len(credentials) == 0 {
		_, err := p.Client.PullImage(ctx, spec, nil, r.Sandbox)
		return err
	}
	var errs []error
	for _, auth := range credentials {
		_, err := p.Client.PullImage(ctx, spec, auth, r.Sandbox)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (p *Puller) status(ctx context.Context, name string) (*Image, error) {
	image, _, err := p.sized(ctx, name)
	return image, err
}

func (p *Puller) sized(ctx context.Context, name string) (*Image, uint64, error) {
	response, err := p.Client.ImageStatus(ctx, &runtimeapi.ImageSpec{Image: name}, false)
	if err != nil || response.Image == nil {
		return nil, 0, err
	}
	image := &Image{Ref: response.Image.Id, User: response.Image.Username}
	if response.Image.Uid != nil {
		image.UID = &response.Image.Uid.Value
	}
	return image, response.Image.Size, nil
}

// Forget drops the failures of a pod that is gone.
func (p *Puller) Forget(pod *corev1.Pod) { p.failures.Forget(string(pod.UID) + "_") }

// plain drops gRPC's preamble, which says nothing about the image.
func plain(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, " desc = "); ok && strings.HasPrefix(text, "rpc error: ") {
		return after
	}
	return text
}
