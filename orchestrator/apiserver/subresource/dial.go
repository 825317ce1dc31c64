package subresource

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// errNotAllowed: whoever writes the address of a pod or a node must not aim the apiserver at itself, at its host or at its neighbours on the link.
var errNotAllowed = errors.New("address not allowed")

// dialable tells whether an address may be one of a pod, a node or an endpoint: no loopback, link-local, multicast or unspecified address is.
func dialable(ip netip.Addr) bool { return ip.Unmap().IsGlobalUnicast() }

// checkHost refuses an address that is not dialable before anything is done for it. A name is left to the dialer, which sees what it resolves to.
func checkHost(host string) error {
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && !dialable(ip) {
		return apierrors.NewBadRequest(errNotAllowed.Error())
	}
	return nil
}

// dialTimeout is how long a pod or a node may take to accept a connection.
const dialTimeout = 30 * time.Second

// dial connects to dialable addresses only: it looks at the one that is really dialled.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err != nil || !dialable(at.Addr()) {
			return errNotAllowed
		}
		return nil
	}}
	return d.DialContext(ctx, network, address)
}

// pools keep the connections to where requests go again and again. Those to kubelets show this apiserver's certificate, those to pods none.
type pools struct{ kubelets, pods *http.Transport }

// Idle connections, in all and to one place, and for how long they are kept.
const (
	idleConnections = 100
	idlePerHost     = 4
	idleTimeout     = 90 * time.Second
)

func newPools(kubelets *tls.Config) pools {
	pool := func(cfg *tls.Config) *http.Transport {
		return &http.Transport{
			DialContext: dial, TLSClientConfig: cfg, TLSHandshakeTimeout: dialTimeout,
			MaxIdleConns: idleConnections, MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleTimeout,
			DisableCompression: true, // what the target sent is what the client gets
		}
	}
	return pools{kubelets: pool(kubelets), pods: pool(unverified)}
}

// unreachable says why a target was not reached: by its Status, if that is known.
func unreachable(err error) error {
	var known apierrors.APIStatus
	switch {
	case errors.Is(err, errNotAllowed):
		return apierrors.NewBadRequest(errNotAllowed.Error())
	case errors.As(err, &known):
		return err
	}
	return apierrors.NewServiceUnavailable(err.Error())
}
