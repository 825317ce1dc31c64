package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
)

// Offers are the parts of the server that a configuration may leave out.
type Offers struct {
	// Debugging: logs and sessions of containers, what runs, the configuration (enableDebuggingHandlers). The others need it too.
	Debugging bool
	// SystemLogs is /logs/, Profiling /debug/pprof/, Flags /debug/flags/v.
	SystemLogs, Profiling, Flags bool
}

// Answers about what is left out, and the paths that it would serve.
const (
	noDebugging  = "Debug endpoints are disabled."
	noSystemLogs = "logs endpoint is disabled."
	noProfiling  = "profiling endpoint is disabled."
	noFlags      = "flags endpoint is disabled."
)

var debugging = []string{"/run/", "/exec/", "/attach/", "/portForward/", "/containerLogs/", "/runningpods", "/runningpods/", "/configz"}

const (
	systemLogs = "/logs/"
	profiling  = "/debug/pprof/"
	flags      = "/debug/flags/v"
)

// debug mounts what people look into a node with, or says of each path why it is not there.
func (s *server) debug(mux *http.ServeMux) {
	offers := s.Offers
	if offers.Debugging {
		s.sessions(mux)
	} else {
		for _, path := range debugging {
			mux.Handle(path, disabled(noDebugging))
		}
	}
	mount := func(offered bool, path, why string, handler http.Handler) {
		switch {
		case !offers.Debugging:
			handler = disabled(noDebugging)
		case !offered:
			handler = disabled(why)
		}
		mux.Handle(path, handler)
	}
	mount(offers.SystemLogs, systemLogs, noSystemLogs, only(http.MethodGet, http.StripPrefix(systemLogs, http.FileServerFS(os.DirFS(s.LogDir)))))
	mount(offers.Profiling, profiling, noProfiling, profiles())
	mount(offers.Flags, flags, noFlags, only(http.MethodPut, http.HandlerFunc(s.verbosity)))
}

// sessions are logs, exec, attach and port-forward, and what runs.
func (s *server) sessions(mux *http.ServeMux) {
	mux.HandleFunc("GET /runningpods", s.runningPods)
	mux.HandleFunc("GET /runningpods/{$}", s.runningPods)
	mux.HandleFunc("GET /configz", s.configz)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for _, what := range []string{"exec", "attach"} {
		mux.HandleFunc(fmt.Sprintf("/%s/{namespace}/{pod}/{container}", what), s.stream(what))
		mux.HandleFunc(fmt.Sprintf("/%s/{namespace}/{pod}/{uid}/{container}", what), s.stream(what))
	}
	mux.HandleFunc("POST /run/{namespace}/{pod}/{container}", s.run)
	mux.HandleFunc("POST /run/{namespace}/{pod}/{uid}/{container}", s.run)
	mux.HandleFunc("/portForward/{namespace}/{pod}", s.portForward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", s.portForward)
}

func disabled(why string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, why, http.StatusMethodNotAllowed) })
}

func only(method string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(profiling, pprof.Index)
	mux.HandleFunc(profiling+"cmdline", pprof.Cmdline)
	mux.HandleFunc(profiling+"profile", pprof.Profile)
	mux.HandleFunc(profiling+"symbol", pprof.Symbol)
	mux.HandleFunc(profiling+"trace", pprof.Trace)
	return mux
}

// verbosity sets -v of the process that runs.
func (s *server) verbosity(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 16))
	if err != nil {
		http.Error(w, "error reading request body: "+err.Error(), http.StatusBadRequest)
		return
	}
	n, err := strconv.ParseUint(string(text), 10, 8)
	if err != nil {
		http.Error(w, fmt.Sprintf("failed set klog.logging.verbosity %s: not a number from 0 to 255", strconv.Quote(string(text))), http.StatusBadRequest)
		return
	}
	s.Verbosity(int(n))
	_, _ = fmt.Fprintf(w, "successfully set klog.logging.verbosity to %d", n) // a client that left needs no answer
}
