package memory

import (
	"context"
	"time"
)

// CompactEvery forgets, at every interval, what was past an interval ago, until ctx ends: as etcd's compactor does for a durable store.
func (s *Store) CompactEvery(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var then int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Neither call fails but for ctx.
		_ = s.Compact(ctx, then)
		then, _ = s.Revision(ctx)
	}
}
