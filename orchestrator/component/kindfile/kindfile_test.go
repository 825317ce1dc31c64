package kindfile

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	Size int  `json:"size"`
	Lit  bool `json:"lit"`
}

type sample struct {
	APIVersion string  `json:"apiVersion"`
	Kind       string  `json:"kind"`
	Name       string  `json:"name"`
	Parts      []inner `json:"parts"`
	Speed      int     `json:"speed"`
	Colour     string  `json:"colour"`
	Always     *bool   `json:"always"`
}

var samples = Kind{
	APIVersion: "v1", Kind: "Sample", Honoured: []string{"apiVersion", "kind", "name", "parts[].size"},
	Bounds: []Bound{
		{"parts[].lit", nil, "parts are off; leave it out"},
		{"speed", []string{Anything}, "there is one speed"},
		{"colour", []string{`"red"`}, "it is red"},
		{"always", []string{"true"}, "it always is"},
	},
}

func TestRead(t *testing.T) {
	tests := []struct{ name, body, fails string }{
		{"what is honoured", "name: x\nparts: [{size: 3}]\n", ""},
		{"what is taken", "colour: red\nspeed: 7\nalways: true\n", ""},
		{"what says no more than nothing", "colour: ''\nparts: [{lit: false}]\nalways: null\n", ""},
		{"what is not taken", "name: x\ncolour: blue\n", `line 4: colour: "blue" is not supported: it is red`},
		{"within a list", "parts:\n- size: 1\n- size: 2\n  lit: true\n", "line 6: parts[].lit: true is not supported: parts are off; leave it out"},
		{"false where true is what happens", "always: false\n", "line 3: always: false is not supported"},
		{"a field that is none", "shape: round\n", "shape"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sample.yaml")
			if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: Sample\n"+test.body), 0o600); err != nil {
				t.Fatal(err)
			}
			err := samples.Read(file, &sample{})
			switch {
			case test.fails == "" && err != nil:
				t.Error(err)
			case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails) || !strings.Contains(err.Error(), file)):
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestUnaccounted(t *testing.T) {
	if out := samples.Unaccounted(reflect.TypeFor[sample]()); len(out) > 0 {
		t.Error(out)
	}
	short := samples
	short.Honoured = []string{"apiVersion", "kind", "parts[].size", "speed", "weight"}
	if out := short.Unaccounted(reflect.TypeFor[sample]()); len(out) != 3 {
		t.Errorf("a field of no list, one of two and one that is none: %q", out)
	}
}
