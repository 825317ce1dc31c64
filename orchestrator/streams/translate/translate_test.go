package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
	executor "k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// command is what a fake kubelet runs: it has the streams by type and returns how it ended.
type command func(streams map[string]httpstream.Stream) *metav1.Status

// kubelet speaks SPDY, version 4 of the protocol, and expects as many streams as the query names.
func kubelet(t *testing.T, run command) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/exec" {
			http.Error(w, "container not found", http.StatusNotFound)
			return
		}
		if _, err := httpstream.Handshake(r, w, []string{remotecommand.StreamProtocolV4Name}); err != nil {
			t.Error(err)
			return
		}
		type opened struct {
			httpstream.Stream
			answered <-chan struct{}
		}
		made := make(chan opened, 8)
		conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, answered <-chan struct{}) error {
			made <- opened{s, answered}
			return nil
		})
		if conn == nil {
			return
		}
		defer conn.Close()
		have := map[string]httpstream.Stream{}
		for range 1 + len(r.URL.Query()) {
			s := <-made
			<-s.answered // a connection that ends before has reset the stream
			have[s.Headers().Get(corev1.StreamType)] = s.Stream
		}
		if err := json.NewEncoder(have[corev1.StreamTypeError]).Encode(run(have)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// client runs a session by client-go's WebSocket executor through Serve.
func client(t *testing.T, target *url.URL, s Session, o executor.StreamOptions) error {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Wanted(r) {
			t.Error("version 5 was not asked for")
		}
		Serve(w, r, target, nil, s)
	}))
	defer front.Close()
	e, err := executor.NewWebSocketExecutor(&rest.Config{Host: front.URL}, http.MethodGet, front.URL)
	if err != nil {
		t.Fatal(err)
	}
	return e.StreamWithContext(t.Context(), o)
}

func at(target *url.URL, path, query string) *url.URL {
	u := *target
	u.Path, u.RawQuery = path, query
	return &u
}

func TestInputEndsAndOutputsStayApart(t *testing.T) {
	target := kubelet(t, func(s map[string]httpstream.Stream) *metav1.Status {
		input, err := io.ReadAll(s[corev1.StreamTypeStdin]) // returns only because the client's end of input arrives
		if err != nil {
			t.Error(err)
		}
		_, _ = s[corev1.StreamTypeStdout].Write(bytes.ToUpper(input))
		_, _ = io.WriteString(s[corev1.StreamTypeStderr], "done")
		return &metav1.Status{Status: metav1.StatusSuccess}
	})
	var out, errs bytes.Buffer
	err := client(t, at(target, "/exec", "input=1&output=1&error=1"), Session{Stdin: true, Stdout: true, Stderr: true},
		executor.StreamOptions{Stdin: strings.NewReader(strings.Repeat("abc", 20000)), Stdout: &out, Stderr: &errs})
	if err != nil || out.String() != strings.Repeat("ABC", 20000) || errs.String() != "done" {
		t.Errorf("%d bytes, %q, %v", out.Len(), errs.String(), err)
	}
}

func TestExitCodesArrive(t *testing.T) {
	target := kubelet(t, func(map[string]httpstream.Stream) *metav1.Status {
		return &metav1.Status{Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: "7"}}}}
	})
	var out bytes.Buffer
	err := client(t, at(target, "/exec", "output=1"), Session{Stdout: true}, executor.StreamOptions{Stdout: &out})
	var code exec.CodeExitError
	if !errors.As(err, &code) || code.Code != 7 {
		t.Errorf("ended with %v", err)
	}
}

type once struct{ sizes []executor.TerminalSize }

func (o *once) Next() *executor.TerminalSize {
	if len(o.sizes) == 0 {
		return nil
	}
	size := o.sizes[0]
	o.sizes = o.sizes[1:]
	return &size
}

func TestTerminalsAreResized(t *testing.T) {
	target := kubelet(t, func(s map[string]httpstream.Stream) *metav1.Status {
		decoder := json.NewDecoder(s[corev1.StreamTypeResize])
		for _, want := range []executor.TerminalSize{{Width: 80, Height: 24}, {Width: 100, Height: 34}} {
			var size executor.TerminalSize
			if err := decoder.Decode(&size); err != nil || size != want {
				t.Errorf("%v, %v, want %v", size, err, want)
			}
		}
		return &metav1.Status{Status: metav1.StatusSuccess}
	})
	reader, writer := io.Pipe() // a terminal whose user types nothing
	defer writer.Close()
	err := client(t, at(target, "/exec", "input=1&output=1&tty=1"), Session{Stdin: true, Stdout: true, TTY: true},
		executor.StreamOptions{Stdin: reader, Stdout: io.Discard, Tty: true, TerminalSizeQueue: &once{[]executor.TerminalSize{{Width: 80, Height: 24}, {Width: 100, Height: 34}}}})
	if err != nil {
		t.Error(err)
	}
}

func TestRefusalsAreTold(t *testing.T) {
	target := kubelet(t, nil)
	err := client(t, at(target, "/gone", "output=1"), Session{Stdout: true}, executor.StreamOptions{Stdout: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "container not found") {
		t.Errorf("the client hears %v", err)
	}
}
