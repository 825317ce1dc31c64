package history

import (
	"encoding/json"
	"fmt"
	"time"
)

// packed is a History as it is kept: tens of thousands of calls and events say the same few hundred words, so each word is written once, and a call or an
// event is a row of numbers. What is unpacked is what was packed, to the microsecond.
type packed struct {
	Words []string `json:"words"`
	// Calls: client, phase, operation, key, value, outcome and error are words; then version, at, begin and end in microseconds.
	Calls [][11]int64 `json:"calls"`
	// Events: key and value are words; then the version.
	Events  [][3]int64        `json:"events"`
	Watches []packedWatch     `json:"watches"`
	Final   map[string]Stored `json:"final"`
	End     int64             `json:"end"`
}

// packedWatch saw events by their place in the list: [first, last] in each row, all of those between them too.
type packedWatch struct {
	Client string   `json:"client"`
	From   int64    `json:"from"`
	Saw    [][2]int `json:"saw"`
	Gaps   []Gap    `json:"gaps,omitempty"`
}

// MarshalJSON packs.
func (h History) MarshalJSON() ([]byte, error) {
	p := packed{Final: h.Final, End: h.End, Words: []string{}}
	places := map[string]int64{}
	word := func(text string) int64 {
		if _, known := places[text]; !known {
			places[text] = int64(len(p.Words))
			p.Words = append(p.Words, text)
		}
		return places[text]
	}
	for _, c := range h.Calls {
		p.Calls = append(p.Calls, [11]int64{
			word(c.Client), word(c.Phase), word(string(c.Op)), word(c.Key), word(c.Value), word(string(c.Outcome)), word(c.Error),
			c.Version, c.At, c.Begin.Microseconds(), c.End.Microseconds(),
		})
	}
	numbers := map[Event]int{}
	for _, w := range h.Watches {
		kept := packedWatch{Client: w.Client, From: w.From, Gaps: w.Gaps}
		for _, e := range w.Events {
			n, known := numbers[e]
			if !known {
				n = len(p.Events)
				numbers[e] = n
				p.Events = append(p.Events, [3]int64{word(e.Key), word(e.Value), e.Version})
			}
			kept.saw(n)
		}
		p.Watches = append(p.Watches, kept)
	}
	return json.Marshal(p)
}

// saw adds an event: to the last row if it comes next.
func (w *packedWatch) saw(n int) {
	if last := len(w.Saw) - 1; last >= 0 && w.Saw[last][1]+1 == n {
		w.Saw[last][1] = n
		return
	}
	w.Saw = append(w.Saw, [2]int{n, n})
}

// UnmarshalJSON unpacks, and refuses what points nowhere.
func (h *History) UnmarshalJSON(text []byte) error {
	var p packed
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*h = History{Final: p.Final, End: p.End}
	word := func(n int64) string { return p.Words[n] }
	for i, row := range p.Calls {
		if err := p.known(row[:7]); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
		h.Calls = append(h.Calls, Call{
			Client: word(row[0]), Phase: word(row[1]), Op: Op(word(row[2])), Key: word(row[3]), Value: word(row[4]), Outcome: Outcome(word(row[5])), Error: word(row[6]),
			Version: row[7], At: row[8], Begin: time.Duration(row[9]) * time.Microsecond, End: time.Duration(row[10]) * time.Microsecond,
		})
	}
	for i, row := range p.Events {
		if err := p.known(row[:2]); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
	for _, kept := range p.Watches {
		w := Watch{Client: kept.Client, From: kept.From, Gaps: kept.Gaps}
		for _, row := range kept.Saw {
			if row[0] < 0 || row[1] < row[0] || row[1] >= len(p.Events) {
				return fmt.Errorf("the watch through %s saw events %v of %d", kept.Client, row, len(p.Events))
			}
			for _, e := range p.Events[row[0] : row[1]+1] {
				w.Events = append(w.Events, Event{Key: word(e[0]), Value: word(e[1]), Version: e[2]})
			}
		}
		h.Watches = append(h.Watches, w)
	}
	return nil
}

func (p packed) known(words []int64) error {
	for _, n := range words {
		if n < 0 || n >= int64(len(p.Words)) {
			return fmt.Errorf("word %d of %d", n, len(p.Words))
		}
	}
	return nil
}
