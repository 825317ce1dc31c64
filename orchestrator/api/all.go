// Package api is the catalogue of every kind that the apiserver serves, each described once.
//
// All is the one list; a new kind is one file in its group's folder and one line here. The apiserver reads the list and derives routes,
// discovery, OpenAPI, tables and write rules from it. Pure: no I/O, no goroutines; it imports nothing of ours but its own folders.
package api

import (
	"github.com/plumb-k8s/plumb/orchestrator/api/core"
	"github.com/plumb-k8s/plumb/orchestrator/api/kind"
)

// All returns every kind, in the order of discovery: the core group first, then groups by priority.
func All() []kind.Kind {
	return []kind.Kind{
		core.ConfigMap(),
	}
}
