package objects

import (
	"bytes"
	"sync"

	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// maxWritten bounds the objects that wait for the cache; it takes most of them within milliseconds.
const maxWritten = 1024

// written are objects under way from a writer to the cache, which would decode the same bytes once more. The zero value is ready.
type written struct {
	mu    sync.Mutex
	byKey map[string]decoded
}

// decoded is what bytes mean: an object without revision, shared by all who got it.
type decoded struct {
	data []byte
	obj  kind.Object
}

// announce comes before the write, so that the cache finds the object however soon it hears of it.
func (w *written) announce(key string, data []byte, obj kind.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byKey == nil || len(w.byKey) >= maxWritten {
		w.byKey = map[string]decoded{}
	}
	w.byKey[key] = decoded{data, obj}
}

// take returns the object that these bytes were made of, if they are the ones that were announced.
func (w *written) take(key string, data []byte) (kind.Object, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, ok := w.byKey[key]
	if !ok || !bytes.Equal(d.data, data) {
		return nil, false
	}
	delete(w.byKey, key)
	return d.obj, true
}

// withdraw is for writes that failed.
func (w *written) withdraw(key string, data []byte) { _, _ = w.take(key, data) }
