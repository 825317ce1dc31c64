package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestListIsGroupedByProfileAndObeysTheFocus(t *testing.T) {
	var out bytes.Buffer
	f := checkFlags{profiles: []string{"api", "workloads"}, focus: "00[12]"}
	if err := f.printList(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{"api (2)", "  API-001 ", "  API-002 ", "", "workloads (2)", "  WORK-001 ", "  WORK-002 "}
	if len(lines) != len(want) {
		t.Fatalf("got\n%s", out.String())
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], w)
		}
	}
	for name, bad := range map[string]checkFlags{"focus": {focus: "("}, "profile": {profiles: []string{"nonesuch"}}} {
		if err := bad.printList(&out); err == nil || !strings.HasPrefix(err.Error(), "--"+name) {
			t.Errorf("a bad --%s: got %v", name, err)
		}
	}
}
