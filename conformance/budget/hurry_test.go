package budget

import "testing"

func TestHurryOnlyMakesPassingHarder(t *testing.T) {
	full, quiet := Converge.Limit(), Quiet.Limit()
	Hurry(0.25)
	t.Cleanup(func() { hurried = 1 })
	if got := Converge.Limit(); got != full/4 {
		t.Errorf("a quarter of %v is %v", full, got)
	}
	if got := Quiet.Limit(); got != quiet {
		t.Errorf("what must stay quiet is watched for %v, want %v", got, quiet)
	}
	defer func() {
		if recover() == nil {
			t.Error("a share above one was taken")
		}
	}()
	Hurry(1.5)
}
