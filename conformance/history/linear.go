package history

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// register is porcupine's model of one key: a write sets it, a read returns what it holds.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if written, ok := input.(string); ok {
			return true, written
		}
		return state == output, state
	},
	DescribeOperation: func(input, output any) string {
		if written, ok := input.(string); ok {
			return "write " + written
		}
		return fmt.Sprintf("read %v", output)
	},
}

// Linearizable holds the reads without a resourceVersion against the writes, key by key: there must be one order of all that explains every
// answer, in which nothing comes before what had ended when it began. decided is false when limit was not enough to tell.
func Linearizable(h History, limit time.Duration) (wrong []string, decided bool) {
	decided = true
	deadline := time.Now().Add(limit)
	byKey := map[string][]Call{}
	for _, c := range h.Calls {
		if c.isWrite() || c.Op == Get {
			byKey[c.Key] = append(byKey[c.Key], c)
		}
	}
	keys := make([]string, 0, len(byKey))
	for key := range byKey {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		switch porcupine.CheckOperationsTimeout(register, operations(byKey[key]), max(time.Until(deadline), time.Millisecond)) {
		case porcupine.Illegal:
			wrong = append(wrong, fmt.Sprintf("%s: no order of its %d calls explains what was read", key, len(byKey[key])))
		case porcupine.Unknown:
			decided = false
		}
	}
	return wrong, decided
}

// operations of one key. A write of unknown outcome may have happened at any time after it began: it is left out when nobody saw its value, and
// else it happened before the first read that did so ended. Both are exact, because values are unique, and keep the search small.
func operations(calls []Call) []porcupine.Operation {
	seen := map[string]time.Duration{}
	for _, c := range calls {
		if c.Op != Get || c.Outcome != OK {
			continue
		}
		if first, ok := seen[c.Value]; !ok || c.End < first {
			seen[c.Value] = c.End
		}
	}
	clients := map[string]int{}
	var all []porcupine.Operation
	for _, c := range calls {
		if _, known := clients[c.Client]; !known {
			clients[c.Client] = len(clients)
		}
		op := porcupine.Operation{ClientId: clients[c.Client], Input: c.Value, Call: int64(c.Begin), Return: int64(c.End)}
		switch {
		case c.Outcome == Failed || (c.Op == Get && c.Outcome == Unknown):
			continue
		case c.Op == Get:
			op.Input, op.Output = nil, c.Value
		case c.Outcome == Unknown:
			first, ok := seen[c.Value]
			if !ok {
				continue
			}
			op.Return = int64(max(first, c.Begin))
			if first < c.Begin {
				op.Return = math.MaxInt64 // read before it was written: illegal, and for porcupine to say
			}
		}
		all = append(all, op)
	}
	return all
}
