package etcd_test

import (
	"net/url"
	"path/filepath"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"github.com/plumb-k8s/plumb/orchestrator/store"
	"github.com/plumb-k8s/plumb/orchestrator/store/etcd"
	"github.com/plumb-k8s/plumb/orchestrator/store/storetest"
)

// member starts an etcd of its own that listens on sockets in the test's directory only.
func member(t *testing.T) *clientv3.Client {
	t.Helper()
	dir := t.TempDir()
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel, cfg.UnsafeNoFsync = filepath.Join(dir, "d"), "error", true
	socket := func(name string) []url.URL { return []url.URL{{Scheme: "unix", Host: "localhost:" + name, Path: ""}} }
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = socket("1"), socket("1")
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = socket("2"), socket("2")
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	t.Chdir(dir)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	<-e.Server.ReadyNotify()
	client := v3client.New(e.Server)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return etcd.New(member(t)) })
}
