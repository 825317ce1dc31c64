package apiserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/plumb-k8s/plumb/orchestrator/api"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
	"github.com/plumb-k8s/plumb/orchestrator/api/schema"
	"github.com/plumb-k8s/plumb/orchestrator/component/serving"
	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/etcd"
	"github.com/plumb-k8s/plumb/orchestrator/store/memory"
)

// NewCommand is kube-apiserver.
func NewCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use: "kube-apiserver", Short: "The front door of the cluster", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.add(c.Flags())
	return c
}

func (o *options) run(ctx context.Context) error {
	logger, err := o.logs.Logger("kube-apiserver")
	if err != nil {
		return err
	}
	backend, closeStore, err := o.openStore(ctx, logger)
	if err != nil {
		return err
	}
	defer closeStore()
	certificate, err := o.serving()
	if err != nil {
		return err
	}
	p := &partsBuilder{options: o, logger: logger, store: backend}
	server, err := New(Config{
		Kinds: Catalogue(), Types: schema.New(api.All()), Store: backend, Parts: p.build, TLS: certificate, Logger: logger, DrainTime: o.drain,
		CompressLists: o.compressLists, Limits: o.limits, Profiling: o.profiling, Address: net.JoinHostPort(o.bindAddress, strconv.Itoa(o.securePort)),
		Advertised: o.advertised(),
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

// Catalogue is every kind, by pointer, as the apiserver's parts share them.
func Catalogue() []*kind.Kind {
	all := api.All()
	kinds := make([]*kind.Kind, len(all))
	for i := range all {
		kinds[i] = &all[i]
	}
	return kinds
}

// serving is the TLS side: clients may show a certificate, whoever signed it; authn decides what it is worth.
func (o *options) serving() (*tls.Config, error) {
	cfg, err := serving.Certificate(o.certFile, o.keyFile, o.advertiseAddress)
	if err != nil {
		return nil, err
	}
	cfg.ClientAuth = tls.RequestClientCert
	cfg.NextProtos = []string{"h2", "http/1.1"}
	return cfg, nil
}

// Keepalives find out that an etcd member has vanished.
const (
	etcdDialTimeout = 20 * time.Second
	etcdKeepalive   = 5 * time.Second
)

func (o *options) openStore(ctx context.Context, logger *slog.Logger) (store.Store, func(), error) {
	if o.storage == "memory" {
		m := memory.New()
		go m.CompactEvery(ctx, etcd.CompactInterval)
		return m, func() {}, nil
	}
	cfg, err := o.etcdTLS()
	if err != nil {
		return nil, nil, err
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: o.etcd.servers, TLS: cfg, DialTimeout: etcdDialTimeout, DialKeepAliveTime: etcdKeepalive, DialKeepAliveTimeout: etcdKeepalive,
		Context: ctx, Logger: zap.NewNop(),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("--etcd-servers=%s: %w", strings.Join(o.etcd.servers, ","), err)
	}
	go etcd.Compactor{Client: client, Interval: etcd.CompactInterval, Logger: logger}.Run(ctx)
	return etcd.New(client), func() { _ = client.Close() }, nil
}

func (o *options) etcdTLS() (*tls.Config, error) {
	if o.etcd.caFile == "" && o.etcd.certFile == "" {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.etcd.caFile != "" {
		pool, _, err := loadCA("--etcd-cafile", o.etcd.caFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if o.etcd.certFile != "" {
		pair, err := tls.LoadX509KeyPair(o.etcd.certFile, o.etcd.keyFile)
		if err != nil {
			return nil, fmt.Errorf("--etcd-certfile=%s --etcd-keyfile=%s: %w", o.etcd.certFile, o.etcd.keyFile, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// loadCA reads the certificates of a file.
func loadCA(flag, file string) (*x509.CertPool, []byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, nil, fmt.Errorf("%s=%s: the file holds no certificate", flag, file)
	}
	return pool, data, nil
}
