// Package transcript holds a cluster against a recording of kubectl on stock Kubernetes: the same command lines, unmodified kubectl, equal output
// and exit codes once times, generated names and addresses are masked.
//
// It owns the recording (testdata): scenes, each a file that reads like a terminal and is played in a namespace of its own, the files that
// commands read, and the list of accepted differences with their reasons. It is fed a kubeconfig by the plumb command and feeds it
// differences. It knows no client library: whatever it asks of a cluster, it asks through kubectl.
//
// A scene's lines, by their first character:
//
//	# text     a comment
//	$ command  a command line, for a shell; what it showed follows it
//	> act      what is done while it runs: see act.go
//	| line     a line that it showed, masked
//	= code     its exit code, unless 0
//	? command  repeated until it succeeds, before the story goes on; not compared
//	& command  cleans up at the end, whatever happened
package transcript

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed testdata
var testdata embed.FS

// Recording is all scenes, their input files and what may differ.
type Recording struct {
	Scenes     []Scene
	Files      fs.FS
	Exceptions Exceptions
}

// Load reads the recording that this program was built with.
func Load() (Recording, error) {
	root, err := fs.Sub(testdata, "testdata")
	if err != nil {
		return Recording{}, err
	}
	return load(root)
}

// LoadFrom reads a recording from a folder.
func LoadFrom(dir string) (Recording, error) { return load(os.DirFS(dir)) }

func load(root fs.FS) (Recording, error) {
	var r Recording
	files, err := fs.Sub(root, "files")
	if err != nil {
		return r, err
	}
	r.Files = files
	names, err := fs.Glob(root, "scenes/*.txt")
	if err == nil && len(names) == 0 {
		err = errors.New("the recording has no scenes")
	}
	if err != nil {
		return r, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return r, err
		}
		scene, err := parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			return r, err
		}
		r.Scenes = append(r.Scenes, scene)
	}
	accepted, err := fs.ReadFile(root, "differences.yaml")
	if err != nil {
		return r, err
	}
	r.Exceptions, err = parseExceptions(accepted)
	return r, err
}

// Save writes a scene into a recording's folder.
func Save(dir string, s Scene) error {
	file := filepath.Join(dir, "scenes", s.Name+".txt")
	if err := os.WriteFile(file, []byte(s.Format()), 0o644); err != nil {
		return fmt.Errorf("record scene %s: %w", s.Name, err)
	}
	return nil
}
