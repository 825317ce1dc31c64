package loop

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Doomed are objects that a controller deleted and that its cache may still show as if they were to stay. The zero value is ready.
type Doomed struct{ uids sync.Map }

// Delete calls do, which deletes the object, and counts it as doomed unless that fails. It is counted before do is called, for the watch may tell
// that the object is gone before do returns.
func (d *Doomed) Delete(uid types.UID, do func() error) error {
	d.uids.Store(uid, true)
	err := do()
	if err != nil {
		d.uids.Delete(uid)
	}
	return err
}

// Has is true from the deletion of an object until it is Gone.
func (d *Doomed) Has(uid types.UID) bool {
	_, doomed := d.uids.Load(uid)
	return doomed
}

// Gone forgets an object that the watch says is no more.
func (d *Doomed) Gone(uid types.UID) { d.uids.Delete(uid) }
