package loop

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestWhatIsDoomedIsForgottenWhenItIsGone(t *testing.T) {
	refused := errors.New("refused")
	for _, row := range []struct {
		name   string
		do     func(*Doomed, types.UID) error
		doomed bool
	}{
		{"deleted, not gone yet", func(*Doomed, types.UID) error { return nil }, true},
		{"the watch is faster than the answer", func(d *Doomed, uid types.UID) error { d.Gone(uid); return nil }, false},
		{"refused", func(*Doomed, types.UID) error { return refused }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var d Doomed
			during := false
			err := d.Delete("u", func() error {
				during = d.Has("u")
				return row.do(&d, "u")
			})
			if !during || d.Has("u") != row.doomed || row.name == "refused" != errors.Is(err, refused) {
				t.Errorf("doomed during the call %t, after it %t, error %v; want true, %t", during, d.Has("u"), err, row.doomed)
			}
			d.Gone("u")
			if d.Has("u") {
				t.Error("what is gone is still doomed")
			}
		})
	}
}
