package server

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	crilogs "k8s.io/cri-client/pkg/logs"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/follow"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/podinfo"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// logs copies a container's log, or follows it until the container ends or the client leaves.
func (s *server) logs(w http.ResponseWriter, r *http.Request) {
	opts, previous, stream, err := logOptions(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	namespace, name, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	pod := s.Pods.Find(namespace, name)
	if pod == nil {
		http.Error(w, fmt.Sprintf("pod %q does not exist", name), http.StatusNotFound)
		return
	}
	if _, ok := podinfo.Find(pod, container); !ok {
		http.Error(w, fmt.Sprintf("container %q not found in pod %q", container, name), http.StatusNotFound)
		return
	}
	target, err := s.logTarget(pod, container, previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	out := streams.Promptly(w)
	var stdout, stderr io.Writer = out, out
	switch stream {
	case "Stdout":
		stderr = nil // not a writer that drops it: what is not asked for counts towards no limit
	case "Stderr":
		stdout = nil
	}
	if opts.Follow {
		out.Flush() // the first line may be long in coming
		err = follow.Log(r.Context(), target.LogPath, opts, running(s.Runtime, target.ID), stdout, stderr)
	} else {
		err = crilogs.ReadLogs(r.Context(), target.LogPath, target.ID, opts, s.Runtime.RuntimeService, stdout, stderr)
	}
	if err != nil && r.Context().Err() == nil {
		fmt.Fprintf(out, "failed to read the log: %v\n", err)
	}
}

// logTarget chooses the start of a container whose log is asked for.
func (s *server) logTarget(pod *corev1.Pod, container string, previous bool) (*runtime.Container, error) {
	observed := s.Pods.Observed(pod.UID)
	latest := observed.Latest(container)
	if previous {
		if latest != nil && latest.State != runtime.Exited {
			latest = observed.Previous(container)
		}
		if latest == nil {
			return nil, fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
		}
		if older := observed.Previous(container); older != nil && latest == observed.Latest(container) {
			return older, nil
		}
		return latest, nil
	}
	if latest != nil && latest.State == runtime.Created {
		latest = observed.Previous(container)
	}
	if latest == nil {
		return nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", container, pod.Name, waitingReason(pod, container))
	}
	return latest, nil
}

func waitingReason(pod *corev1.Pod, container string) string {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for _, c := range list {
			if c.Name == container && c.State.Waiting != nil {
				switch reason := c.State.Waiting.Reason; reason {
				case "ErrImagePull":
					return "image can't be pulled"
				case "ImagePullBackOff":
					return "trying and failing to pull image"
				case "":
				default:
					return reason
				}
			}
		}
	}
	return "ContainerCreating"
}

func logOptions(q url.Values) (opts *crilogs.LogOptions, previous bool, stream string, err error) {
	opts = &crilogs.LogOptions{}
	if opts.TailLines, err = number(q, "tailLines"); err != nil {
		return nil, false, "", err
	}
	if text := q.Get("tail"); text != "" && text != "all" && opts.TailLines == nil {
		if opts.TailLines, err = number(q, "tail"); err != nil {
			return nil, false, "", err
		}
	}
	if opts.LimitBytes, err = number(q, "limitBytes"); err != nil {
		return nil, false, "", err
	}
	seconds, err := number(q, "sinceSeconds")
	if err != nil {
		return nil, false, "", err
	}
	if seconds != nil {
		opts.Since = time.Now().Add(-time.Duration(*seconds) * time.Second)
	}
	if text := q.Get("sinceTime"); text != "" {
		if opts.Since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, false, "", fmt.Errorf("sinceTime: %w", err)
		}
	}
	opts.Follow, opts.Timestamp = isTrue(q, "follow"), isTrue(q, "timestamps")
	return opts, isTrue(q, "previous"), q.Get("stream"), nil
}

func number(q url.Values, name string) (*int64, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%s=%q must be a number that is not negative", name, text)
	}
	return &n, nil
}

func isTrue(q url.Values, name string) bool {
	if !q.Has(name) {
		return false
	}
	text := q.Get(name)
	on, err := strconv.ParseBool(text)
	return text == "" || (err == nil && on)
}
