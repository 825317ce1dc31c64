package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	kubeletv1beta1 "k8s.io/kubelet/config/v1beta1"

	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/config"
	"github.com/plumb-k8s/plumb/orchestrator/kubelet/server"
)

func (j *joiner) joinServers() error {
	if *j.Settings.HealthzPort > 0 {
		j.servers = append(j.servers, j.local())
	}
	if !*j.Settings.EnableServer {
		return nil
	}
	access, err := j.auth()
	if err != nil {
		return err
	}
	certificate, err := j.certificate()
	if err != nil {
		return err
	}
	certificate.ClientAuth = tls.RequestClientCert // verified by the handler: a bad one may still come with a good token
	more := j.measures.Handlers()
	more["GET /metrics/probes"] = j.prober.Metrics()
	handler := server.Handler(server.Config{
		More: more,
		Auth: access, Runtime: j.runtime, Pods: j.workers, Configz: j.Settings, Health: j.healthy, LogDir: "/var/log", Logger: j.Logger,
		Offers: j.offers(), Verbosity: j.Verbosity,
	})
	address := net.JoinHostPort(j.Settings.Address, strconv.Itoa(int(j.Settings.Port)))
	j.servers = append(j.servers, func(ctx context.Context) error { return serve(ctx, address, certificate, handler) })
	return nil
}

// offers are the parts of the server that are switched on.
func (j *joiner) offers() server.Offers {
	s := j.Settings
	return server.Offers{
		Debugging: *s.EnableDebuggingHandlers, SystemLogs: *s.EnableSystemLogHandler, Profiling: *s.EnableProfilingHandler, Flags: *s.EnableDebugFlagsHandler,
	}
}

// serve has no time limits on answers: a followed log or a stream lasts as long as people want.
func serve(ctx context.Context, address string, certificate *tls.Config, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &http.Server{Handler: handler, TLSConfig: certificate, ReadHeaderTimeout: 30 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}} // upgrades need HTTP/1.1
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", address, err)
	}
	return nil
}

func (j *joiner) auth() (server.AuthConfig, error) {
	s := j.Settings
	a := server.AuthConfig{
		NodeName: j.NodeName, Anonymous: *s.Authentication.Anonymous.Enabled, TokenTTL: s.Authentication.Webhook.CacheTTL.Duration,
		AllowTTL: s.Authorization.Webhook.CacheAuthorizedTTL.Duration, DenyTTL: s.Authorization.Webhook.CacheUnauthorizedTTL.Duration,
	}
	if file := s.Authentication.X509.ClientCAFile; file != "" {
		pool, err := server.ReadCA(file)
		if err != nil {
			return a, fmt.Errorf("authentication.x509.clientCAFile: %w", err)
		}
		a.ClientCA = pool
	}
	if *s.Authentication.Webhook.Enabled {
		client, err := authenticationv1client.NewForConfig(j.API)
		if err != nil {
			return a, err
		}
		a.Reviews = client.TokenReviews()
	}
	if s.Authorization.Mode == kubeletv1beta1.KubeletAuthorizationModeWebhook {
		client, err := authorizationv1client.NewForConfig(j.API)
		if err != nil {
			return a, err
		}
		a.Access = client.SubjectAccessReviews()
	}
	return a, nil
}

// certificate is the configured one, else the one in the certificate folder, else a self-signed one.
func (j *joiner) certificate() (*tls.Config, error) {
	cert, key := j.Settings.TLSCertFile, j.Settings.TLSPrivateKeyFile
	if cert == "" && key == "" {
		inFolder := filepath.Join(j.CertDir, "kubelet.crt")
		if _, err := os.Stat(inFolder); err == nil {
			cert, key = inFolder, filepath.Join(j.CertDir, "kubelet.key")
		}
	}
	c, err := serving.Certificate(cert, key, append(j.HostIPs, j.NodeName)...)
	if err != nil {
		return nil, err
	}
	return c, config.TLS(j.Settings, c)
}

// healthy is nil while the runtime answers.
func (j *joiner) healthy(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := j.runtime.Version(limited, ""); err != nil {
		return fmt.Errorf("the container runtime does not answer: %w", err)
	}
	return nil
}

// local serves health to the node itself.
func (j *joiner) local() func(context.Context) error {
	address := net.JoinHostPort(j.Settings.HealthzBindAddress, strconv.Itoa(int(*j.Settings.HealthzPort)))
	return func(ctx context.Context) error {
		err := serving.Run(ctx, serving.Config{Address: address, Checks: map[string]func(context.Context) error{"runtime": j.healthy}, Logger: j.Logger})
		if err != nil {
			return fmt.Errorf("serve health: %w", err)
		}
		return nil
	}
}
