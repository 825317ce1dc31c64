package history

import (
	"testing"
	"time"
)

func TestOutageIsTheLongestTimeWithoutAnAcknowledgedWrite(t *testing.T) {
	calls := []Call{
		call("a", Put, "1", 1, 0, 10), call("a", Put, "2", 2, 10, 20), call("a", Get, "2", 2, 30, 40), call("b", Put, "3", 3, 45, 50),
		call("a", Put, "4", 0, 50, 55).but(unknown), call("a", Put, "5", 5, 70, 90),
	}
	for name, row := range map[string]struct{ from, to, want int }{
		"reads, others and what is unknown do not end it": {0, 100, 70},
		"it begins with the window":                       {60, 100, 30},
		"it ends with the window":                         {0, 80, 60},
		"nothing in the window":                           {30, 70, 40},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Outage(calls, "a", time.Duration(row.from)*time.Millisecond, time.Duration(row.to)*time.Millisecond); got != time.Duration(row.want)*time.Millisecond {
				t.Errorf("got %s", got)
			}
		})
	}
}
