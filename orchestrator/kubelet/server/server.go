// Package server answers what others ask a node: logs, exec, attach, port-forward, its pods, health and measurements.
//
// It serves HTTPS on port 10250 to the apiserver and to whoever the API allows, and health on a local port to everybody on the node. It
// changes nothing; streams are carried to the URL that the runtime gives.
package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumb-k8s/plumb/orchestrator/kubelet/runtime"
)

// Pods are the workers, as far as the server asks them.
type Pods interface {
	Pods() []*corev1.Pod
	Find(namespace, name string) *corev1.Pod
	Observed(uid types.UID) *runtime.Pod
}

// Config of a server.
type Config struct {
	Auth    AuthConfig
	Runtime *runtime.Client
	Pods    Pods
	// Configz is the configuration shown at /configz.
	Configz any
	// Health is nil while the kubelet does its work.
	Health func(ctx context.Context) error
	// LogDir is what /logs/ shows.
	LogDir string
	Offers Offers
	// Verbosity sets how detailed the log is.
	Verbosity func(n int)
	// More handlers by pattern: measurements.
	More   map[string]http.Handler
	Logger *slog.Logger
}

type server struct{ Config }

// Handler is everything behind authentication.
func Handler(cfg Config) http.Handler {
	s := &server{cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/healthz/{check}", s.healthz)
	mux.HandleFunc("GET /pods", s.pods)
	mux.HandleFunc("GET /pods/{$}", s.pods)
	mux.Handle("/metrics", promhttp.Handler())
	s.debug(mux)
	for pattern, handler := range cfg.More {
		mux.Handle(pattern, handler)
	}
	return (&auth{cfg: cfg.Auth}).wrap(mux)
}

// checks by which stock's health is asked; each is the whole of ours.
var checks = map[string]bool{"": true, "ping": true, "log": true, "syncloop": true}

func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	if !checks[r.PathValue("check")] {
		http.NotFound(w, r)
		return
	}
	if err := s.Health(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("ok")) // a client that left needs no answer
}

func (s *server) pods(w http.ResponseWriter, r *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for _, pod := range s.Pods.Pods() {
		list.Items = append(list.Items, *pod)
	}
	answer(w, list)
}

// runningPods shows what the runtime has, whatever the API says.
func (s *server) runningPods(w http.ResponseWriter, r *http.Request) {
	found, err := s.Runtime.Running(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for _, p := range found {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: types.UID(p.UID)}}
		for _, c := range p.Containers {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: c.Name, Image: c.Image})
		}
		list.Items = append(list.Items, pod)
	}
	answer(w, list)
}

func (s *server) configz(w http.ResponseWriter, r *http.Request) {
	answer(w, map[string]any{"kubeletconfig": s.Configz})
}

func answer(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
}
