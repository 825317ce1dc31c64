package bench

import (
	"os"
	"strings"
	"testing"
)

func TestReportComparesMedians(t *testing.T) {
	r := newReport([]*side{{name: "ours"}, {name: "stock"}})
	memory := measure{name: "memory", unit: "MiB", goal: goal{atMost: 0.5}, order: 1}
	speed := measure{name: "speed", unit: "1/s", goal: goal{atLeast: 1}, order: 2}
	for _, round := range []struct{ ours, stock sample }{
		{sample{memory: 40, speed: 100}, sample{memory: 100, speed: 150}},
		{sample{memory: 45, speed: 120}, sample{memory: 90, speed: 140}},
		{sample{memory: 900, speed: 110}, sample{memory: 95, speed: 10}}, // one bad round moves no median far
	} {
		r.add("ours", round.ours)
		r.add("stock", round.stock)
	}
	rows := r.Rows()
	if len(rows) != 2 || rows[0].Name != "memory" || rows[0].Medians["ours"] != 45 || !*rows[0].Met {
		t.Errorf("memory: %+v", rows)
	}
	if rows[1].Medians["stock"] != 140 || *rows[1].Met {
		t.Errorf("speed is behind: %+v", rows[1])
	}
}

func TestWithoutAPeerTheTableSaysSo(t *testing.T) {
	r := newReport([]*side{{name: "ours"}})
	r.add("ours", sample{measure{name: "memory", goal: goal{atMost: 0.5}}: 40})
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "no peer given") || strings.Contains(text, "met") {
		t.Errorf("got %s", text)
	}
}

func TestOwnProcessIsMeasured(t *testing.T) {
	self := process{pid: os.Getpid(), component: "test", node: "here"}
	pss, err := self.pss()
	if err != nil || pss < 1 || pss > 10000 {
		t.Errorf("%f MiB: %v", pss, err)
	}
	for used, sink := int64(0), 0; used == 0; sink++ { // a process that works uses processor time
		d, err := self.processor()
		if err != nil {
			t.Fatal(err)
		}
		used = int64(d)
	}
}

func TestOnlyWhatThereIs(t *testing.T) {
	if _, err := Run(t.Context(), Config{Only: "memory"}); err == nil || !strings.Contains(err.Error(), "idle, api or start") {
		t.Errorf("want what may be measured, got %v", err)
	}
}
