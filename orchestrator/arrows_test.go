package orchestrator_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/plumb-k8s/plumb/"

// arrow forbids an import: packages below from may not import packages below to, except those below allowed.
type arrow struct {
	from, to string
	allowed  []string
	why      string
}

var arrows = []arrow{
	{from: "orchestrator/api", to: module, allowed: []string{"orchestrator/api"}, why: "the catalogue is pure vocabulary: it must not know who uses it"},
	{from: "orchestrator/store", to: module, allowed: []string{"orchestrator/store"}, why: "the store knows keys and bytes, not what they mean"},
	{from: "orchestrator/watchcache", to: module, allowed: []string{"orchestrator/store", "orchestrator/watchcache"}, why: "the cache is handed extractors as functions"},
	{from: "orchestrator/component", to: module, allowed: []string{"orchestrator/component"}, why: "what all share must depend on none"},
	{from: "orchestrator/scheduler", to: module, allowed: []string{"orchestrator/scheduler", "orchestrator/component"}, why: "it reaches the cluster through client-go only, so it works under any apiserver"},
	{from: "orchestrator/controllers", to: module, allowed: []string{"orchestrator/controllers", "orchestrator/component"}, why: "they reach the cluster through client-go only"},
	{from: "orchestrator/kubelet", to: module, allowed: []string{"orchestrator/kubelet", "orchestrator/component", "orchestrator/streams", "orchestrator/api/podspec"}, why: "it reaches the cluster through client-go only; a static pod is defaulted and validated by no apiserver, hence podspec"},
	{from: "orchestrator/proxy", to: module, allowed: []string{"orchestrator/proxy", "orchestrator/component"}, why: "it reaches the cluster through client-go only"},
	{from: "conformance", to: module + "orchestrator", why: "the suite must work on any cluster, and prove nothing by knowing ours"},
	{from: "orchestrator", to: module + "conformance", why: "what is judged must not know its judge"},
	{from: "", to: "k8s.io/kubernetes", why: "the reference is an independent implementation"},
	{from: "", to: "k8s.io/apiserver/pkg/server", why: "assembling the original would prove nothing"},
	{from: "orchestrator/cmd/cni", to: "k8s.io/", why: "the CNI plugin starts in under 5 ms"},
}

func TestArrowsPointOneWay(t *testing.T) {
	packages(t, func(dir, file string) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range arrows {
				if a.forbids(dir, path) {
					t.Errorf("%s imports %s: %s", file, path, a.why)
				}
			}
		}
	})
}

func (a arrow) forbids(dir, path string) bool {
	if !below(dir, a.from) || !below(path, strings.TrimSuffix(a.to, "/")) {
		return false
	}
	for _, allowed := range a.allowed {
		if below(path, module+allowed) {
			return false
		}
	}
	return true
}

// below is true when path is root or stands under it; everything is below the empty root.
func below(path, root string) bool {
	return root == "" || path == root || strings.HasPrefix(path, root+"/")
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented := map[string]bool{}
	packages(t, func(dir, file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		documented[dir] = documented[dir] || parsed.Doc != nil
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: what does it own, who feeds it, whom does it feed?", dir)
		}
	}
}

// packages visits every Go file of the module that is ours, with its directory relative to the module's root.
func packages(t *testing.T, visit func(dir, file string)) {
	t.Helper()
	root := ".."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".."
		if entry.IsDir() && (hidden || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			dir, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(dir), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
