package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
	"github.com/plumb-k8s/plumb/orchestrator/streams"
)

// target finds the running container that a request is about, or answers why there is none.
func (s *server) target(w http.ResponseWriter, r *http.Request) (*corev1.Pod, *runtime.Container) {
	name, container := r.PathValue("pod"), r.PathValue("container")
	pod := s.Pods.Find(r.PathValue("namespace"), name)
	if pod == nil || (r.PathValue("uid") != "" && string(pod.UID) != r.PathValue("uid")) {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return nil, nil
	}
	c := s.Pods.Observed(pod.UID).Latest(container)
	if c == nil || c.State != runtime.Running {
		http.Error(w, fmt.Sprintf("container not found (%q)", container), http.StatusNotFound)
		return nil, nil
	}
	return pod, c
}

// stream asks the runtime for the URL of an exec or attach session and carries the connection there.
func (s *server) stream(what string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, c := s.target(w, r)
		if c == nil {
			return
		}
		q := r.URL.Query()
		stdin, stdout, stderr, tty := isTrue(q, "input"), isTrue(q, "output"), isTrue(q, "error"), isTrue(q, "tty")
		if tty {
			stderr = false // a terminal has one output
		}
		if !stdin && !stdout && !stderr {
			http.Error(w, "you must specify at least 1 of stdin, stdout, stderr", http.StatusBadRequest)
			return
		}
		var address string
		var err error
		if what == "exec" {
			var response *runtimeapi.ExecResponse
			response, err = s.Runtime.Exec(r.Context(), &runtimeapi.ExecRequest{ContainerId: c.ID, Cmd: q["command"], Tty: tty, Stdin: stdin, Stdout: stdout, Stderr: stderr})
			address = response.GetUrl()
		} else {
			var response *runtimeapi.AttachResponse
			response, err = s.Runtime.Attach(r.Context(), &runtimeapi.AttachRequest{ContainerId: c.ID, Tty: tty, Stdin: stdin, Stdout: stdout, Stderr: stderr})
			address = response.GetUrl()
		}
		s.carry(w, r, address, err)
	}
}

func (s *server) portForward(w http.ResponseWriter, r *http.Request) {
	pod := s.Pods.Find(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil || (r.PathValue("uid") != "" && string(pod.UID) != r.PathValue("uid")) {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return
	}
	sandbox := s.Pods.Observed(pod.UID).Sandbox()
	if sandbox == nil || !sandbox.Ready {
		http.Error(w, fmt.Sprintf("pod not found (%q)", r.PathValue("pod")), http.StatusNotFound)
		return
	}
	ports, err := portList(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, err := s.Runtime.PortForward(r.Context(), &runtimeapi.PortForwardRequest{PodSandboxId: sandbox.ID, Port: ports})
	s.carry(w, r, response.GetUrl(), err)
}

// portList reads the ports that WebSocket clients name in the query; SPDY clients name them in each stream.
func portList(q url.Values) ([]int32, error) {
	var ports []int32
	for _, text := range append(q["port"], q["ports"]...) {
		for _, one := range strings.Split(text, ",") {
			n, err := strconv.ParseUint(one, 10, 16)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("invalid port %q", one)
			}
			ports = append(ports, int32(n))
		}
	}
	return ports, nil
}

func (s *server) carry(w http.ResponseWriter, r *http.Request, address string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	target, err := url.Parse(address)
	if err != nil {
		http.Error(w, fmt.Sprintf("the runtime's URL: %v", err), http.StatusInternalServerError)
		return
	}
	streams.Proxy(w, r, target, streams.Config{})
}

// run executes a command and answers with its output.
func (s *server) run(w http.ResponseWriter, r *http.Request) {
	_, c := s.target(w, r)
	if c == nil {
		return
	}
	stdout, stderr, err := s.Runtime.ExecSync(r.Context(), c.ID, strings.Fields(r.FormValue("cmd")), 0)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(append(stdout, stderr...))
}
