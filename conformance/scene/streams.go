package scene

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

// Protocol carries the streams of exec, attach and port-forward.
type Protocol string

// The protocols that clients of Kubernetes speak: WebSocket the newer ones, SPDY the older.
const (
	WebSocket Protocol = "WebSocket"
	SPDY      Protocol = "SPDY"
)

// Protocols are both.
func Protocols() []Protocol { return []Protocol{WebSocket, SPDY} }

// Stream runs exec or attach of a pod, its parameters in options, until the streams end. An exit code other than 0 is an error of client-go's
// exec.CodeExitError.
func (s *Scene) Stream(ctx context.Context, by Protocol, pod, subresource string, options runtime.Object, streams remotecommand.StreamOptions) error {
	url := s.API.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("pods").Name(pod).SubResource(subresource).
		VersionedParams(options, scheme.ParameterCodec).URL()
	var executor remotecommand.Executor
	var err error
	if by == SPDY {
		executor, err = remotecommand.NewSPDYExecutor(s.Config, http.MethodPost, url)
	} else {
		executor, err = remotecommand.NewWebSocketExecutor(s.Config, http.MethodGet, url.String())
	}
	if err != nil {
		return fmt.Errorf("%s to pod %s by %s: %w", subresource, pod, by, err)
	}
	return executor.StreamWithContext(ctx, streams)
}

// Exec runs a command in a container and returns what it wrote to both outputs.
func (s *Scene) Exec(ctx context.Context, pod, container string, command ...string) (string, error) {
	var out, errors bytes.Buffer
	err := s.Stream(ctx, WebSocket, pod, "exec", &corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true},
		remotecommand.StreamOptions{Stdout: &out, Stderr: &errors})
	if err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, errors.String())
	}
	return out.String(), nil
}

// Forward forwards free local ports to ports of a pod until ctx ends, and returns the local ones in the same order.
func (s *Scene) Forward(ctx context.Context, by Protocol, pod string, ports ...int) ([]uint16, error) {
	url := s.API.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	var wanted []string
	for _, p := range ports {
		wanted = append(wanted, fmt.Sprintf("0:%d", p))
	}
	ready, failed := make(chan struct{}), make(chan error, 1)
	var forwarder *portforward.PortForwarder
	if by == SPDY {
		transport, upgrader, err := spdy.RoundTripperFor(s.Config)
		if err != nil {
			return nil, err
		}
		dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
		if forwarder, err = portforward.NewOnAddressesWithContext(ctx, dialer, []string{"127.0.0.1"}, wanted, ready, io.Discard, io.Discard); err != nil {
			return nil, err
		}
	} else {
		dialer, err := portforward.NewSPDYOverWebsocketDialer(url, s.Config)
		if err != nil {
			return nil, err
		}
		if forwarder, err = portforward.NewOnAddressesWithContext(ctx, dialer, []string{"127.0.0.1"}, wanted, ready, io.Discard, io.Discard); err != nil {
			return nil, err
		}
	}
	go func() { failed <- forwarder.ForwardPorts() }()
	select {
	case err := <-failed:
		return nil, fmt.Errorf("forward ports %v of pod %s by %s: %w", ports, pod, by, err)
	case <-ready:
	}
	return locals(forwarder)
}

func locals(forwarder *portforward.PortForwarder) ([]uint16, error) {
	forwarded, err := forwarder.GetPorts()
	var local []uint16
	for _, f := range forwarded {
		local = append(local, f.Local)
	}
	return local, err
}
