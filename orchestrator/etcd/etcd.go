// Package etcd is the embedded etcd member: the durable half of the control plane, one on each of its nodes.
//
// The supervisor starts it with stock etcd's flags; apiservers are its only clients. It owns the data directory and nothing else, and knows
// nothing of what the keys mean. A write is acknowledged only after it is on disk on a quorum of members.
package etcd

import (
	"context"
	"fmt"
	"log/slog"
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
	member, err := embed.StartEtcd(cfg.Embed)
	if err != nil {
		return fmt.Errorf("start etcd in %s: %w", cfg.Embed.Dir, err)
	}
	defer member.Close()
	started := time.Now()
	select {
	case <-member.Server.ReadyNotify():
		cfg.Logger.Info("etcd is ready", "after", time.Since(started).Round(time.Millisecond))
	case <-ctx.Done():
		return nil
	case err := <-member.Err():
		return fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-member.Err():
		return fmt.Errorf("etcd: %w", err)
	}
}
