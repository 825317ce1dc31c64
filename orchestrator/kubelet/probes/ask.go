package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Outcome of one probe. A warning counts as success and leaves an event.
type Outcome int

// Outcomes.
const (
	Success Outcome = iota
	Warning
	Failure
)

const (
	maxBody   = 10 * 1024
	userAgent = "kube-probe/1.37"
)

// Exec runs a command in a container; exit codes other than 0 are in the error, which has an ExitCode.
type Exec func(ctx context.Context, containerID string, command []string, timeout time.Duration) (output string, exitCode int, err error)

// Ask performs a probe's action once. err means that nothing was learnt.
func Ask(ctx context.Context, p *corev1.Probe, c *corev1.Container, containerID, podIP string, exec Exec) (Outcome, string, error) {
	timeout := time.Duration(max(p.TimeoutSeconds, 1)) * time.Second
	switch {
	case p.Exec != nil:
		return askExec(ctx, p.Exec.Command, containerID, timeout, exec)
	case p.HTTPGet != nil:
		u, header, err := Target(p.HTTPGet, c, podIP)
		if err != nil {
			return Failure, "", err
		}
		return askHTTP(ctx, u, header, timeout)
	case p.TCPSocket != nil:
		port, err := Port(p.TCPSocket.Port, c)
		if err != nil {
			return Failure, "", err
		}
		host := p.TCPSocket.Host
		if host == "" {
			host = podIP
		}
		return askTCP(ctx, net.JoinHostPort(host, strconv.Itoa(port)), timeout)
	case p.GRPC != nil:
		service := ""
		if p.GRPC.Service != nil {
			service = *p.GRPC.Service
		}
		return askGRPC(ctx, net.JoinHostPort(podIP, strconv.Itoa(int(p.GRPC.Port))), service, timeout)
	}
	return Failure, "", fmt.Errorf("missing probe handler")
}

func askExec(ctx context.Context, command []string, id string, timeout time.Duration, exec Exec) (Outcome, string, error) {
	output, code, err := exec(ctx, id, command, timeout)
	if len(output) > maxBody {
		output = output[:maxBody]
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Failure, fmt.Sprintf("command timed out: %q timed out after %v", strings.Join(command, " "), timeout), nil
	case err != nil:
		return Failure, "", err
	case code != 0:
		return Failure, output, nil
	}
	return Success, output, nil
}

// Target of an HTTP probe or hook.
func Target(h *corev1.HTTPGetAction, c *corev1.Container, podIP string) (*url.URL, http.Header, error) {
	port, err := Port(h.Port, c)
	if err != nil {
		return nil, nil, err
	}
	host := h.Host
	if host == "" {
		host = podIP
	}
	scheme := strings.ToLower(string(h.Scheme))
	if scheme == "" {
		scheme = "http"
	}
	path := h.Path
	u, err := url.Parse(path)
	if err != nil {
		u = &url.URL{Path: path}
	}
	u.Scheme, u.Host = scheme, net.JoinHostPort(host, strconv.Itoa(port))
	header := http.Header{}
	for _, pair := range h.HTTPHeaders {
		header.Add(pair.Name, pair.Value)
	}
	return u, header, nil
}

// Port resolves a number or the name of one of the container's ports.
func Port(p intstr.IntOrString, c *corev1.Container) (int, error) {
	number := p.IntValue()
	if p.Type == intstr.String {
		for _, own := range c.Ports {
			if own.Name == p.StrVal {
				number = int(own.ContainerPort)
			}
		}
	}
	if number <= 0 || number > 65535 {
		return 0, fmt.Errorf("couldn't find port: %v", p)
	}
	return number, nil
}

// transport makes one connection per probe and believes any certificate: a probe asks whether somebody answers, not who.
func transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		DisableKeepAlives:  true,
		DisableCompression: true,
		Proxy:              nil,
	}
}

func askHTTP(ctx context.Context, u *url.URL, header http.Header, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Failure, err.Error(), nil
	}
	Headers(request, header)
	client := &http.Client{Transport: transport(), Timeout: timeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Hostname() != via[0].URL.Hostname() {
			return http.ErrUseLastResponse
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}}
	response, err := client.Do(request)
	if err != nil {
		return Failure, err.Error(), nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return Failure, "", err
	}
	switch code := response.StatusCode; {
	case code >= 300 && code < 400:
		return Warning, fmt.Sprintf("Probe terminated redirects, Response body: %v", string(body)), nil
	case code >= 200 && code < 300:
		return Success, string(body), nil
	default:
		return Failure, fmt.Sprintf("HTTP probe failed with statuscode: %d", code), nil
	}
}

// Headers sets those of a probe, with stock's defaults for the two that a pod may replace, or remove by an empty value.
func Headers(r *http.Request, own http.Header) {
	r.Header = own.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	for name, standard := range map[string]string{"User-Agent": userAgent, "Accept": "*/*"} {
		values, given := r.Header[name]
		switch {
		case !given:
			r.Header.Set(name, standard)
		case len(values) == 1 && values[0] == "" && name == "Accept":
			r.Header.Del(name)
		}
	}
}

func askTCP(ctx context.Context, address string, timeout time.Duration) (Outcome, string, error) {
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return Failure, err.Error(), nil
	}
	_ = conn.Close()
	return Success, "", nil
}

func askGRPC(ctx context.Context, address, service string, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUserAgent(userAgent))
	if err != nil {
		return Failure, err.Error(), nil
	}
	defer conn.Close()
	answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: service}, grpc.WaitForReady(true))
	switch {
	case status.Code(err) == codes.Unimplemented:
		return Failure, fmt.Sprintf("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s", status.Convert(err).Message()), nil
	case status.Code(err) == codes.DeadlineExceeded:
		return Failure, fmt.Sprintf("timeout: health rpc did not complete within %v", timeout), nil
	case err != nil:
		return Failure, fmt.Sprintf("error: health rpc probe failed: %s", err), nil
	case answer.GetStatus() != healthv1.HealthCheckResponse_SERVING:
		return Failure, fmt.Sprintf("service unhealthy (responded with %q)", answer.GetStatus()), nil
	}
	return Success, "service healthy", nil
}
