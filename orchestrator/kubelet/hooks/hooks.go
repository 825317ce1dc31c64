// Package hooks runs what a container wants done right after its start and right before its end: a command, an HTTP request, or a pause.
//
// Workers call it and decide what a failure means. It keeps no state.
package hooks

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/probes"
)

// Run performs one handler and returns what went wrong. ctx bounds it.
func Run(ctx context.Context, h *corev1.LifecycleHandler, c *corev1.Container, containerID, podIP string, exec probes.Exec) error {
	switch {
	case h.Exec != nil:
		return command(ctx, h.Exec.Command, containerID, exec)
	case h.HTTPGet != nil:
		return request(ctx, h.HTTPGet, c, podIP)
	case h.Sleep != nil:
		select {
		case <-time.After(time.Duration(h.Sleep.Seconds) * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	}
	return fmt.Errorf("invalid handler: %v", h)
}

func command(ctx context.Context, argv []string, containerID string, exec probes.Exec) error {
	output, code, err := exec(ctx, containerID, argv, 0)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("command '%s' exited with %d: %s", strings.Join(argv, " "), code, output)
	}
	return nil
}

// request sends the hook's GET. A server that speaks plain HTTP on a port declared HTTPS is asked again in plain HTTP.
func request(ctx context.Context, h *corev1.HTTPGetAction, c *corev1.Container, podIP string) error {
	u, header, err := probes.Target(h, c, podIP)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the pod is asked to act, not trusted
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		probes.Headers(r, header)
		r.Header.Set("User-Agent", "kube-lifecycle/1.37")
		response, err := client.Do(r)
		if err != nil && u.Scheme == "https" && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
			u.Scheme = "http"
			header.Del("Authorization")
			continue
		}
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 10*1024))
		return response.Body.Close()
	}
}
