package load

import (
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Balancer is the path that survives every fault of a single apiserver.
const Balancer = "balancer"

// silence is how long a connection may carry nothing before it is asked, and how long the answer may take: a dead node says no goodbye.
const silence = 2 * time.Second

// Paths makes a client for each apiserver by its URL, and one for the balanced way of cfg, each with connections of its own.
func Paths(cfg *rest.Config, apiservers map[string]string) (map[string]kubernetes.Interface, error) {
	urls := map[string]string{Balancer: cfg.Host}
	for node, url := range apiservers {
		urls[node] = url
	}
	paths := map[string]kubernetes.Interface{}
	for path, url := range urls {
		api, err := Client(cfg, url)
		if err != nil {
			return nil, fmt.Errorf("client by %s (%s): %w", path, url, err)
		}
		paths[path] = api
	}
	return paths, nil
}

// Client of one path, with connections of its own that notice a dead server soon.
func Client(cfg *rest.Config, url string) (kubernetes.Interface, error) {
	own := rest.CopyConfig(cfg)
	own.Host, own.QPS = url, -1
	tls, err := rest.TLSConfigFor(own)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: tls, ForceAttemptHTTP2: true, TLSHandshakeTimeout: silence,
		HTTP2: &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: silence},
	}
	wrapped, err := rest.HTTPWrappersForConfig(own, transport)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfigAndClient(own, &http.Client{Transport: wrapped})
}
