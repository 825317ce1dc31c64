package runtime

import (
	"bytes"
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-client/pkg/logs"
)

// Limits of "Determine the Reason for Pod Failure": 4096 bytes of message, or the last 80 lines or 2048 bytes of log.
const (
	maxMessage       = 4096
	fallbackLines    = int64(80)
	fallbackMaxBytes = 2048
)

// terminationMessage reads what a container left behind for people: its message file, or the end of its log when the policy says so.
func (c *Client) terminationMessage(ctx context.Context, exited *Container, runtimeMessage string) string {
	path := exited.terminationMessageHostPath
	if path == "" {
		return runtimeMessage
	}
	data, err := readMost(path, maxMessage)
	if err != nil && !os.IsNotExist(err) {
		return "Error on reading termination log " + path + ": " + err.Error()
	}
	message := string(data)
	policy := corev1.TerminationMessagePolicy(exited.annotations[annotationMessagePolicy])
	if message == "" && policy == corev1.TerminationMessageFallbackToLogsOnError && exited.ExitCode != 0 {
		message = c.logTail(ctx, exited)
	}
	if runtimeMessage != "" && message != "" {
		return runtimeMessage + ": " + message
	}
	return runtimeMessage + message
}

func readMost(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) // a container may have written it: neither a link nor a pipe
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

func (c *Client) logTail(ctx context.Context, exited *Container) string {
	var out bytes.Buffer
	lines := fallbackLines
	opts := &logs.LogOptions{TailLines: &lines}
	if err := logs.ReadLogs(ctx, exited.LogPath, exited.ID, opts, c.RuntimeService, &out, &out); err != nil {
		return "Error on reading termination message from logs: " + err.Error()
	}
	text := out.Bytes()
	if len(text) > fallbackMaxBytes {
		text = text[len(text)-fallbackMaxBytes:]
	}
	return string(text)
}

// IsNotFound is true when the runtime does not know what it was asked about.
func IsNotFound(err error) bool { return status.Code(err) == codes.NotFound }

// IsDeadline is true when a call, or the command it ran, took too long.
func IsDeadline(err error) bool { return status.Code(err) == codes.DeadlineExceeded }
