package etcd

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// compactKey is where apiservers, stock's too, agree on who compacts: its version is the logical time, its value the revision compacted last.
const compactKey = "compact_rev_key"

// CompactInterval is how much history is kept (stock's --etcd-compaction-interval).
const CompactInterval = 5 * time.Minute

// Compactor forgets history older than an interval. Of several apiservers one wins each round, by compare-and-swap on compactKey.
type Compactor struct {
	Client   *clientv3.Client
	Interval time.Duration
	Logger   *slog.Logger
}

// Run compacts until ctx ends.
func (c Compactor) Run(ctx context.Context) {
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	var version, revision int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var err error
		if version, revision, err = c.round(ctx, version, revision); err != nil && ctx.Err() == nil {
			c.Logger.Warn("compaction failed", "err", err)
		}
	}
}

// round compacts at the revision seen an interval ago if nobody else has; it returns the time and revision for the next round.
func (c Compactor) round(ctx context.Context, version, revision int64) (int64, int64, error) {
	r, err := c.Client.Txn(ctx).If(clientv3.Compare(clientv3.Version(compactKey), "=", version)).
		Then(clientv3.OpPut(compactKey, strconv.FormatInt(revision, 10))).Else(clientv3.OpGet(compactKey)).Commit()
	if err != nil {
		return version, revision, fmt.Errorf("claim the round: %w", err)
	}
	now := r.Header.Revision
	if !r.Succeeded {
		if kvs := r.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
			version = kvs[0].Version
		}
		return version, now, nil
	}
	if revision == 0 {
		return version + 1, now, nil
	}
	if err := New(c.Client).Compact(ctx, revision); err != nil {
		return version + 1, now, err
	}
	return version + 1, now, nil
}
