package kills

import (
	"bytes"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-k8s/plumb/conformance/verdict"
)

const root = "../.."

func load(t *testing.T) []Mutant {
	t.Helper()
	all, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestMutantsFitTheSource: a mutant that no longer changes what it was made for proves nothing.
func TestMutantsFitTheSource(t *testing.T) {
	manifest, err := verdict.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range load(t) {
		t.Run(m.Name, func(t *testing.T) {
			if names[m.Name] {
				t.Error("another mutant has this name")
			}
			names[m.Name] = true
			source, err := m.Source(root)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), m.File, source, parser.SkipObjectResolution); err != nil {
				t.Error(err)
			}
			if formatted, err := format.Source(source); err != nil || !bytes.Equal(formatted, source) {
				t.Errorf("the mutated file is not formatted (%v)", err)
			}
			if len(m.Kills) == 0 || !strings.HasSuffix(m.Bug, ".") {
				t.Error("want a sentence that says the bug, and the requirements that must fail")
			}
			for _, id := range m.Kills {
				if !slices.ContainsFunc(manifest, func(r verdict.Requirement) bool { return r.ID == id }) {
					t.Errorf("there is no requirement %s", id)
				}
			}
		})
	}
}

// TestMutantsAreEverywhere: at least forty, in every room, for every profile.
func TestMutantsAreEverywhere(t *testing.T) {
	all := load(t)
	if len(all) < 40 {
		t.Errorf("%d mutants, want at least 40", len(all))
	}
	for _, room := range []string{"apiserver", "balancer", "component", "controllers", "etcd", "kubelet", "podnetwork", "proxy", "scheduler", "store", "supervisor", "watchcache"} {
		if !slices.ContainsFunc(all, func(m Mutant) bool { return strings.HasPrefix(m.File, room+"/") }) {
			t.Errorf("no mutant in %s", room)
		}
	}
	profiles, err := verdict.Profiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range profiles {
		requirements, err := verdict.Of(profile)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(m Mutant) bool {
			return slices.ContainsFunc(requirements, func(r verdict.Requirement) bool { return slices.Contains(m.Kills, r.ID) })
		}) {
			t.Errorf("no mutant must be caught by profile %s", profile)
		}
	}
}
