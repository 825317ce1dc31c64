package node

import "testing"

func TestAUserNamespaceMapsLessThanAllIDs(t *testing.T) {
	for uidMap, want := range map[string]bool{
		"         0          0 4294967295": false,
		"         0       1000          1": true,
		"         0          0      65536": true,
	} {
		if got := inUserNamespace(uidMap); got != want {
			t.Errorf("%q: inside %v, want %v", uidMap, got, want)
		}
	}
}
