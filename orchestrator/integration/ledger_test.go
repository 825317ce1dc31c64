package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// writePause between two writes of one ledger.
const writePause = 50 * time.Millisecond

// ledger writes ConfigMaps through one apiserver and keeps what was acknowledged. It is used by one goroutine until that has ended.
type ledger struct {
	client    kubernetes.Interface
	namespace string
	prefix    string
	// holds is the acknowledged text of each object that was not deleted; versions are those of all acknowledged writes but deletions.
	holds    map[string]string
	versions []string
	gone     []string
}

// newLedgers starts a ledger at every apiserver.
func newLedgers(ctx context.Context, t *testing.T, p *plane, namespace string) (ledgers []*ledger, writing []*running) {
	for i, server := range p.apis {
		l := &ledger{client: p.admin(t, server), namespace: namespace, prefix: fmt.Sprintf("ledger-%d", i), holds: map[string]string{}}
		ledgers = append(ledgers, l)
		writing = append(writing, start(ctx, l.prefix, l.write))
	}
	return ledgers, writing
}

// write creates, updates and deletes until ctx ends. Nothing it writes to fails in this test, so neither may a write.
func (l *ledger) write(ctx context.Context) error {
	tick := time.NewTicker(writePause)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// A write under way is finished: one that is cut off may or may not have been done.
		if err := l.round(context.WithoutCancel(ctx), i); err != nil {
			return err
		}
	}
}

// round makes one write: mostly a new object, else another text or a deletion of an older one.
func (l *ledger) round(ctx context.Context, i int) error {
	maps := l.client.CoreV1().ConfigMaps(l.namespace)
	older := fmt.Sprintf("%s-%d", l.prefix, i/2)
	switch _, there := l.holds[older]; {
	case there && i%4 == 1:
		return retry.RetryOnConflict(retry.DefaultRetry, func() error { return l.change(ctx, older, fmt.Sprint("changed at ", i)) })
	case there && i%8 == 3:
		if err := maps.Delete(ctx, older, meta.DeleteOptions{}); err != nil {
			return fmt.Errorf("delete %s: %w", older, err)
		}
		delete(l.holds, older)
		l.gone = append(l.gone, older)
		return nil
	}
	made, err := maps.Create(ctx, &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{Name: fmt.Sprintf("%s-%d", l.prefix, i)}, Data: map[string]string{"text": fmt.Sprint("made at ", i)},
	}, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create %s-%d: %w", l.prefix, i, err)
	}
	l.acknowledged(made)
	return nil
}

func (l *ledger) change(ctx context.Context, name, text string) error {
	maps := l.client.CoreV1().ConfigMaps(l.namespace)
	object, err := maps.Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return fmt.Errorf("get %s: %w", name, err)
	}
	object.Data["text"] = text
	changed, err := maps.Update(ctx, object, meta.UpdateOptions{})
	if err == nil {
		l.acknowledged(changed)
	}
	return err
}

func (l *ledger) acknowledged(object *core.ConfigMap) {
	l.holds[object.Name] = object.Data["text"]
	l.versions = append(l.versions, object.ResourceVersion)
}

// judge finds every acknowledged write, in what is there and in what each watch of ConfigMaps said.
func (l *ledger) judge(ctx context.Context, t *testing.T, client kubernetes.Interface, witnesses []*witness) {
	t.Helper()
	list, err := client.CoreV1().ConfigMaps(l.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	for _, object := range list.Items {
		there[object.Name] = object.Data["text"]
	}
	for name, text := range l.holds {
		if there[name] != text {
			t.Errorf("%s: acknowledged %q, there is %q", name, text, there[name])
		}
	}
	for _, name := range l.gone {
		if _, ok := there[name]; ok {
			t.Errorf("%s: its deletion was acknowledged, and it is there", name)
		}
	}
	for _, w := range witnesses {
		if w.resource == "configmaps" {
			l.judgeWatch(t, w)
		}
	}
}

func (l *ledger) judgeWatch(t *testing.T, w *witness) {
	t.Helper()
	events, _ := w.seen()
	said := map[string]bool{}
	for _, e := range events {
		said[fmt.Sprint(e.version)] = true
	}
	for _, version := range l.versions {
		if !said[version] {
			t.Errorf("the watch at %s missed the write of version %s by %s", w.server, version, l.prefix)
		}
	}
}
