// Package etcd is the embedded etcd member: the durable half of the control plane, one on each of its nodes.
//
// The supervisor starts it with stock etcd's flags; apiservers are its only clients. It owns the data directory and nothing else, and knows
// nothing of what the keys mean. A write is acknowledged only after it is on disk on a quorum of members.
package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// Config of a member: etcd's own, filled from flags.
type Config struct {
	Embed  *embed.Config
	Logger *slog.Logger
}

// Run starts the member and returns when ctx ends, or the member fails.
func Run(ctx context.Context, cfg Config) error {
	if alone(cfg.Embed) {
		shorten(cfg.Embed)
	}
	started := time.Now()
	member, err := embed.StartEtcd(cfg.Embed)
	if err != nil {
		return fmt.Errorf("start etcd in %s: %w", cfg.Embed.Dir, err)
	}
	defer member.Close()
	ready := member.Server.ReadyNotify()
	for {
		select {
		case <-ready:
			cfg.Logger.Info("etcd is ready", "after", time.Since(started).Round(time.Millisecond))
			ready = nil
		case <-ctx.Done():
			return nil
		case <-member.Server.StopNotify():
			return fmt.Errorf("etcd in %s stopped by itself", cfg.Embed.Dir)
		case err := <-member.Err():
			return fmt.Errorf("etcd: %w", err)
		}
	}
}

// alone tells whether this is the first start of a cluster of one member.
func alone(cfg *embed.Config) bool {
	if cfg.ClusterState != embed.ClusterStateFlagNew || strings.Contains(cfg.InitialCluster, ",") {
		return false
	}
	_, err := os.Stat(filepath.Join(cfg.Dir, "member"))
	return os.IsNotExist(err)
}

// The ticks of a member that nobody can lead: long enough for one that joins later and beats every 100 ms, the default.
const (
	aloneTick     = 20
	aloneElection = 200
)

// shorten makes the first election come sooner: raft waits one to two election timeouts, even for the only candidate.
func shorten(cfg *embed.Config) {
	cfg.TickMs, cfg.ElectionMs = min(cfg.TickMs, aloneTick), min(cfg.ElectionMs, aloneElection)
}
