package orchestrator_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// starters are the ways to start a process. The node image is FROM scratch: there is no mount, sh, nft, iptables or modprobe to start, so code
// that wants one fails on every node of ours.
var starters = map[string][]string{"os": {"StartProcess"}, "syscall": {"ForkExec", "Exec", "StartProcess"}}

// mayStart are the packages below orchestrator that may start processes, each with its reason.
var mayStart = map[string]string{
	"orchestrator/supervisor/process": "starting containerd and the components, and reaping them, is what it is for",
}

func TestOnlyTheSupervisorStartsProcesses(t *testing.T) {
	found := map[string]bool{}
	packages(t, func(dir, file string) {
		if !below(dir, "orchestrator") || strings.HasSuffix(file, "_test.go") {
			return
		}
		starts := imports(t, file)["os/exec"]
		calls(t, file, func(pkg, function string, at token.Position) {
			for _, starter := range starters[pkg] {
				starts = starts || function == starter
			}
		})
		switch {
		case starts && mayStart[dir] == "":
			t.Errorf("%s starts processes: a node has none to start; use system calls, netlink or CRI", file)
		case starts:
			found[dir] = true
		}
	})
	for dir := range mayStart {
		if !found[dir] {
			t.Errorf("%s starts no process any more: take it off the list", dir)
		}
	}
}

// TestNobodySleeps: code waits for what it needs, or for its context, and tests wait for what they check. A sleep does neither: it is too long on
// a quiet machine and too short on a busy one.
func TestNobodySleeps(t *testing.T) {
	packages(t, func(_, file string) {
		calls(t, file, func(pkg, function string, at token.Position) {
			if pkg == "time" && function == "Sleep" {
				t.Errorf("%s: time.Sleep: wait for the event, or tick and look", at)
			}
		})
	})
}

// imports are the paths that a file imports.
func imports(t *testing.T, file string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths[path] = true
	}
	return paths
}

// calls visits each use of a package's name in a file: os.StartProcess is ("os", "StartProcess").
func calls(t *testing.T, file string, visit func(pkg, name string, at token.Position)) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok {
			visit(pkg.Name, selector.Sel.Name, files.Position(selector.Pos()))
		}
		return true
	})
}
