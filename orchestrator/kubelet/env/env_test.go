package env

import "testing"

func TestExpand(t *testing.T) {
	known := map[string]string{"A": "1", "B": "two"}
	for _, row := range []struct{ name, in, want string }{
		{"plain", "text", "text"},
		{"one", "x$(A)y", "x1y"},
		{"two", "$(A)$(B)", "1two"},
		{"unknown stays", "$(C)", "$(C)"},
		{"escaped", "$$(A)", "$(A)"},
		{"escaped then expanded", "$$$(A)", "$1"},
		{"not closed", "$(A", "$(A"},
		{"dollar at the end", "a$", "a$"},
		{"dollar before text", "$A", "$A"},
		{"not closed before a closed one", "$(A$(B)", "$(A$(B)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Expand(row.in, known); got != row.want {
				t.Errorf("Expand(%q) = %q, want %q", row.in, got, row.want)
			}
		})
	}
}
