package fault

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/plumb-k8s/plumb/conformance/cluster"
	"github.com/plumb-k8s/plumb/conformance/verdict"
)

// diskful is a node whose etcd writes to its disk, and logs.
type diskful struct {
	machine
	room int64
	logs string
	// reserved: etcd has room of its own, so that a full disk does not hurt it.
	reserved bool
}

func (d *diskful) Room(context.Context, string, string) (int64, error) { return d.room, nil }

func (d *diskful) Fill(context.Context, string, string) error {
	d.room = 0
	if !d.reserved {
		d.logs += `{"level":"fatal","error":"write /var/lib/etcd/member/wal/0.wal: no space left on device"}` + "\n"
	}
	return nil
}

func (d *diskful) Free(context.Context, string, string) error {
	d.room = 1 << 30
	return nil
}

func (d *diskful) Logs(_ context.Context, _ string, to io.Writer) error {
	w := tar.NewWriter(to)
	var failed error
	for name, text := range map[string]string{"log/plumb/etcd.log": d.logs, "log/plumb/kubelet.log": strings.Repeat("no space left on device\n", len(d.logs))} {
		failed = errors.Join(failed, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}))
		_, err := io.WriteString(w, text)
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, w.Close())
}

// What bytes are left is no witness of a full disk: the component must have been refused one.
func TestADiskIsFullOnlyForWhomItRefuses(t *testing.T) {
	const before = "no space left on device, last week\nready\n"
	for name, row := range map[string]struct {
		node    diskful
		refused bool
	}{
		"a write was refused":          {diskful{room: 1 << 30, logs: before}, false},
		"it writes what it reserved":   {diskful{room: 1 << 30, logs: before, reserved: true}, true},
		"the disk was full beforehand": {diskful{room: 0, logs: before}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.node.pids, row.node.state = []int{7}, cluster.State{Running: true}
				seen := ""
				note := func(kind verdict.Kind, _, text string) {
					if kind == verdict.Witnessed {
						seen = text
					}
				}
				_, err := Inject(t.Context(), FillDisk(&row.node, "n", "etcd"), note)
				if errors.Is(err, ErrNotWitnessed) != row.refused {
					t.Fatalf("inject: %v", err)
				}
				if !row.refused && !strings.Contains(seen, "0.wal: no space left on device") {
					t.Errorf("seen: %q", seen)
				}
			})
		})
	}
}
