// Package server answers what others ask a node: logs, exec, attach, port-forward, its pods, health and measurements.
//
// It serves HTTPS on port 10250 to the apiserver and to whoever the API allows, and health on a local port to everybody on the node. It
// changes nothing; streams are carried to the URL that the runtime gives.
package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"

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
	mux.HandleFunc("GET /runningpods/", s.runningPods)
	mux.HandleFunc("GET /configz", s.configz)
	mux.Handle("/metrics", promhttp.Handler())
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for _, what := range []string{"exec", "attach"} {
		mux.HandleFunc(fmt.Sprintf("/%s/{namespace}/{pod}/{container}", what), s.stream(what))
		mux.HandleFunc(fmt.Sprintf("/%s/{namespace}/{pod}/{uid}/{container}", what), s.stream(what))
	}
	mux.HandleFunc("POST /run/{namespace}/{pod}/{container}", s.run)
	mux.HandleFunc("POST /run/{namespace}/{pod}/{uid}/{container}", s.run)
	mux.HandleFunc("/portForward/{namespace}/{pod}", s.portForward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", s.portForward)
	mux.Handle("GET /logs/", http.StripPrefix("/logs/", http.FileServerFS(os.DirFS(cfg.LogDir))))
	for pattern, handler := range cfg.More {
		mux.Handle(pattern, handler)
	}
	return (&auth{cfg: cfg.Auth}).wrap(mux)
}

func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
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
	found, err := s.Runtime.UIDs(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for uid, p := range found {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: types.UID(uid)}}
		observed, err := s.Runtime.Observe(r.Context(), uid)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, c := range observed.Alive() {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: c.Name, Image: c.Image})
		}
		if len(pod.Spec.Containers) > 0 {
			list.Items = append(list.Items, pod)
		}
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
