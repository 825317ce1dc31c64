// Package translate lets a WebSocket client of exec or attach talk to a kubelet that speaks SPDY: version 5 of the channel protocol, whose
// one addition is that a client can end its input (KEP-4006).
//
// The apiserver uses it whenever a client asks for that version; kubelets are not asked whether they speak it. The client's side is the channel
// protocol, read here; the kubelet's is client-go's own SPDY executor. It decides nothing about rights.
package translate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	executor "k8s.io/client-go/tools/remotecommand"
	clientspdy "k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// Session says which channels are used.
type Session struct{ Stdin, Stdout, Stderr, TTY bool }

// Wanted is true for a request that only translation can answer.
func Wanted(r *http.Request) bool {
	return streams.IsUpgrade(r) && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		slices.Contains(websocket.Subprotocols(r), remotecommand.StreamProtocolV5Name)
}

const (
	ping          = 5 * time.Second
	handshakeTime = 10 * time.Second
)

// Serve carries one session to target. What goes wrong behind the upgrade is told on the error channel, as the protocol wants it.
func Serve(w http.ResponseWriter, r *http.Request, target *url.URL, config *tls.Config, s Session) {
	// Whoever may do this was authenticated by more than a browser's cookies: any origin may ask.
	upgrader := websocket.Upgrader{
		HandshakeTimeout: handshakeTime, Subprotocols: []string{remotecommand.StreamProtocolV5Name}, CheckOrigin: func(*http.Request) bool { return true },
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the client was answered
	}
	ctx, cancel := context.WithCancel(r.Context())
	c := newChannels(ws)
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	defer cancel()
	go func() {
		defer cancel() // a client that left needs no answer
		c.receive(ctx)
	}()
	err = run(ctx, c, target, config, s)
	c.finish(statusOf(err))
}

func run(ctx context.Context, c *channels, target *url.URL, config *tls.Config, s Session) error {
	transport, err := spdy.NewRoundTripperWithConfig(spdy.RoundTripperConfig{TLS: config, PingPeriod: ping})
	if err != nil {
		return err
	}
	e, err := executor.NewSPDYExecutorRejectRedirects(transport, clientspdy.NewUpgraderForStreaming(transport), http.MethodPost, target)
	if err != nil {
		return err
	}
	o := executor.StreamOptions{Tty: s.TTY}
	if s.Stdin {
		o.Stdin = c.stdin
	}
	if s.Stdout {
		o.Stdout = c.writer(remotecommand.StreamStdOut)
	}
	if s.Stderr {
		o.Stderr = c.writer(remotecommand.StreamStdErr)
	}
	if s.TTY {
		o.TerminalSizeQueue = &queue{ctx, c.sizes}
	}
	return e.StreamWithContext(ctx, o)
}

// statusOf an end, as clients read it.
func statusOf(err error) *metav1.Status {
	var status *apierrors.StatusError
	var code exec.CodeExitError
	switch {
	case err == nil:
		return &metav1.Status{Status: metav1.StatusSuccess}
	case errors.As(err, &status):
		return &status.ErrStatus
	case errors.As(err, &code):
		return &metav1.Status{
			Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(code.Code)}}},
			Message: fmt.Sprintf("command terminated with non-zero exit code: %v", code),
		}
	}
	return &apierrors.NewInternalError(err).ErrStatus
}
