package leadership

import (
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTake(t *testing.T) {
	lease := func(holder string, transitions int32) *coordination.Lease {
		return &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: coordination.LeaseSpec{HolderIdentity: &holder, LeaseTransitions: &transitions}}
	}
	for _, row := range []struct {
		name    string
		seen    []*coordination.Lease
		changes int
	}{
		{"one holder", []*coordination.Lease{lease("a", 1), lease("a", 1)}, 0},
		{"another", []*coordination.Lease{lease("a", 1), lease("b", 2)}, 1},
		{"nobody in between", []*coordination.Lease{lease("a", 1), lease("", 1), lease("b", 2)}, 1},
		{"the same holder once more", []*coordination.Lease{lease("a", 1), lease("", 1), lease("a", 2)}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := &Observer{leases: map[string]*coordination.Lease{}}
			for _, l := range row.seen {
				o.take(l, time.Unix(1, 0))
			}
			if len(o.Changes) != row.changes {
				t.Errorf("changes: %+v, want %d", o.Changes, row.changes)
			}
		})
	}
}

func TestAMemberThatWasStartedAnewTellsOfNoChange(t *testing.T) {
	o := &Observer{counts: map[string]int{}}
	for _, count := range []int{5, 5, 1, 2} {
		o.takeMember("n", Member{Changes: count}, time.Unix(1, 0))
	}
	if len(o.Changes) != 1 {
		t.Errorf("changes: %+v, want the one from 1 to 2", o.Changes)
	}
}
