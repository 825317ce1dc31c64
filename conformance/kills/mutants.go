// Package kills proves that the suite catches bugs: it builds mutants of the orchestrator, runs them, and holds the specs to fail.
//
// A mutant is a find-and-replace on one source file (orchestrator/mutants), with the requirements that must fail on it. This package is fed those
// files and the module's sources, and feeds the kill matrix: what failed on which mutant. It imports nothing of the orchestrator: it builds and
// starts it as anybody would. Package null does the same with targets that tamper, package plane runs control planes without nodes.
package kills

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Mutant is one seeded defect.
type Mutant struct {
	Name string `yaml:"name" json:"name"`
	// Bug says in a sentence what is wrong with it.
	Bug string `yaml:"bug" json:"bug"`
	// File is relative to the orchestrator's folder; Find stands in it once.
	File    string `yaml:"file" json:"file"`
	Find    string `yaml:"find" json:"-"`
	Replace string `yaml:"replace" json:"-"`
	// Kills are the requirements of which at least one must fail.
	Kills []string `yaml:"kills" json:"kills"`
	// Shape is a kind config to run on; empty picks one by the requirements.
	Shape string `yaml:"shape" json:"-"`
	// Component is what the file is part of: that of its list.
	Component string `yaml:"-" json:"component"`
}

// Node is the component of mutants of the image's node program itself: PID 1 and balancer.
const Node = "node"

// list is one file of mutants.
type list struct {
	Component string   `yaml:"component"`
	Mutants   []Mutant `yaml:"mutants"`
}

// Folders of the module.
const (
	orchestrator = "orchestrator"
	mutants      = orchestrator + "/mutants"
)

// Load reads every list below the module's root, in the order of their names.
func Load(root string) ([]Mutant, error) {
	files, err := filepath.Glob(filepath.Join(root, mutants, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []Mutant
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var l list
		decoder := yaml.NewDecoder(bytes.NewReader(data))
		decoder.KnownFields(true)
		if err := decoder.Decode(&l); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, m := range l.Mutants {
			m.Component = l.Component
			// A block of YAML ends in a newline that is not meant.
			m.Find, m.Replace = strings.TrimSuffix(m.Find, "\n"), strings.TrimSuffix(m.Replace, "\n")
			all = append(all, m)
		}
	}
	return all, nil
}

// Select picks a mutant by name, or returns all for an empty one.
func Select(all []Mutant, name string) ([]Mutant, error) {
	if name == "" {
		return all, nil
	}
	picked := slices.DeleteFunc(slices.Clone(all), func(m Mutant) bool { return !slices.Contains(strings.Split(name, ","), m.Name) })
	if len(picked) == 0 {
		return nil, fmt.Errorf("there is no mutant %s", name)
	}
	return picked, nil
}

// errNotOnce: the source has moved on.
var errNotOnce = errors.New("what is to be found must stand in the file once")

// Source is the mutated file's content.
func (m Mutant) Source(root string) ([]byte, error) {
	data, err := os.ReadFile(m.path(root))
	if err != nil {
		return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
	}
	if n := bytes.Count(data, []byte(m.Find)); n != 1 || m.Find == "" {
		return nil, fmt.Errorf("mutant %s: %s: found %d times: %w", m.Name, m.File, n, errNotOnce)
	}
	return bytes.Replace(data, []byte(m.Find), []byte(m.Replace), 1), nil
}

func (m Mutant) path(root string) string { return filepath.Join(root, orchestrator, m.File) }
