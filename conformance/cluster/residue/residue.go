// Package residue finds what a cluster in containers has left on the machine after its removal: processes, mounts, routes, control groups,
// nft tables.
//
// A Snapshot before and one after are compared. What is new and mentions one of the cluster's marks (IDs of its containers, networks and
// volumes) is left of it; other clusters on the machine are not its business. Tables bear no mark: any new one is reported, for a node is to keep
// its tables in its own network namespace. It is fed by the containers provider, which adds what the engine itself still knows.
package residue

import (
	"fmt"
	"slices"
	"strings"
)

// Snapshot of a machine: each kind of thing, each thing described in a line.
type Snapshot map[string][]string

// Kinds of things in a snapshot.
const (
	Processes = "process"
	Mounts    = "mount"
	Routes    = "route"
	Groups    = "control group"
	Tables    = "nft table"
)

// Left returns a line for everything in after that was not in before and belongs to the cluster with these marks.
func Left(before, after Snapshot, marks []string) []string {
	var left []string
	for _, kind := range []string{Processes, Mounts, Routes, Groups, Tables} {
		old := map[string]bool{}
		for _, line := range before[kind] {
			old[line] = true
		}
		for _, line := range after[kind] {
			if !old[line] && (kind == Tables || mentions(line, marks)) {
				left = append(left, fmt.Sprintf("%s: %s", kind, line))
			}
		}
	}
	return left
}

func mentions(line string, marks []string) bool {
	return slices.ContainsFunc(marks, func(m string) bool { return m != "" && strings.Contains(line, m) })
}
