package fields

import (
	"fmt"
	"strings"
	"testing"
)

func TestSetsThatAreAskedForAreKept(t *testing.T) {
	var s sets
	common := text{raw: "common"}
	s.keep(common, &owned{})
	for i := range 2000 {
		s.keep(text{raw: fmt.Sprint(i) + strings.Repeat("x", 1000)}, &owned{})
		if s.find(common) == nil {
			t.Fatalf("what is asked for all the time was forgotten after %d others", i)
		}
	}
	if s.find(text{raw: "0" + strings.Repeat("x", 1000)}) != nil {
		t.Error("what nobody asks for is kept")
	}
	bytes := 0
	for _, generation := range []map[text]*owned{s.young, s.older} {
		for key := range generation {
			bytes += len(key.raw)
		}
	}
	if bytes > 2*maxSetBytes {
		t.Errorf("%d bytes are kept", bytes)
	}
}
